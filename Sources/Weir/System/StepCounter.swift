#if DEBUG
    import CLibraries

    /// Counts what this thread does, where a test is to tell that it is in proportion to something: time would not tell
    /// on a machine that others use. A release build has no trace of it.
    enum StepCounter {
        static func step() { weir_note_step() }

        static var steps: Int { Int(weir_noted_steps()) }
    }
#endif

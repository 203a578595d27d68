import Testing

extension Trait where Self == TimeLimitTrait {
    /// Ends a test that hangs. Tests begin together and share the few threads of tasks, so the time of one says how long
    /// all of them take, and the limit is far above that on a slow machine.
    static var hangLimit: Self { .timeLimit(.minutes(30)) }
}

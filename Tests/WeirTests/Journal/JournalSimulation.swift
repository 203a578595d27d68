import Testing

/// Tests that compute for seconds. One at a time, and with pauses between their rounds, so that those that wait for
/// something get their turn.
@Suite(.serialized, .hangLimit) struct JournalSimulation {}

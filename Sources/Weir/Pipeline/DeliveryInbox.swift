import Synchronization

/// What has ended since a delivery last looked.
final class DeliveryInbox: Sendable {
    private let events = Mutex<[DeliveryState.Event]>([])
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    func put(_ event: DeliveryState.Event) {
        events.withLock { $0.append(event) }
        wake()
    }

    func take() -> [DeliveryState.Event] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}

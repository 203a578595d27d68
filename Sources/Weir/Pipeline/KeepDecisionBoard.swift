import Synchronization

/// Where the stages of one process tell each other which traces they keep.
final class KeepDecisionBoard: Sendable {
    /// Traces that are remembered for one that does not ask; it does not hear of the oldest then.
    static let maximumUnheard = 100_000

    private struct State {
        var unheard: [Int: [KeptTrace]] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// One for each stage; it hears of nothing that came before.
    func seat() -> any KeepDecisions {
        Seat(
            board: self,
            number: state.withLock { state in
                state.next += 1
                state.unheard[state.next] = []
                return state.next
            })
    }

    private final class Seat: KeepDecisions {
        private let board: KeepDecisionBoard
        private let number: Int

        init(board: KeepDecisionBoard, number: Int) {
            self.board = board
            self.number = number
        }

        deinit {
            board.state.withLock { $0.unheard[number] = nil }
        }

        func announce(_ traces: [KeptTrace]) {
            board.state.withLock { state in
                for other in state.unheard.keys where other != number {
                    state.unheard[other, default: []] += traces
                    let over = (state.unheard[other]?.count ?? 0) - maximumUnheard
                    if over > 0 { state.unheard[other]?.removeFirst(over) }
                }
            }
        }

        func heard() -> [KeptTrace] {
            board.state.withLock { state in
                let heard = state.unheard[number] ?? []
                if !heard.isEmpty { state.unheard[number] = [] }
                return heard
            }
        }
    }
}

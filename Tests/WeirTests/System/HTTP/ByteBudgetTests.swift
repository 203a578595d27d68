import Testing

@testable import Weir

@Suite struct ByteBudgetTests {
    @Test func takesNothingWhereThereIsNoRoom() {
        let budget = ByteBudget(limit: 10, portion: 10)
        #expect(budget.acquire(4, of: nil))
        #expect(budget.acquire(6, of: nil))
        #expect(!budget.acquire(1, of: nil))
        #expect(budget.inUse == 10)
        budget.release(6, of: nil)
        #expect(!budget.acquire(7, of: nil))
        #expect(budget.acquire(6, of: nil))
    }

    @Test func aTenantThatKeepsAllItCanGetLeavesAsMuch() {
        let budget = ByteBudget(limit: 256, portion: 64)
        func acquire(of tenant: String) -> Int { (0..<10).count { _ in budget.acquire(32, of: tenant) } * 32 }
        #expect(acquire(of: "b") == 128)
        // Nobody is refused less than one request while there is room at all.
        #expect(acquire(of: "a") == 64 && acquire(of: "c") == 64 && acquire(of: "d") == 0)
        budget.release(128, of: "b")
        budget.release(64, of: "c")
        #expect(budget.inUse == 64 && acquire(of: "a") == 64)
        #expect(budget.acquire(128, of: nil) && budget.inUse == 256)
    }

    @Test func neverHandsOutMoreThanItHas() async {
        let budget = ByteBudget(limit: 100, portion: 100)
        await withTaskGroup(of: Void.self) { group in
            for size in 1...4 {
                group.addTask {
                    for _ in 0..<5_000 where budget.acquire(size * 10, of: nil) { budget.release(size * 10, of: nil) }
                }
            }
        }
        #expect(budget.inUse == 0)
    }
}

import Testing

@testable import Weir

@Suite struct CounterTests {
    @Test func addsUp() {
        let counter = Counter()
        counter.add()
        counter.add(41)
        counter.add(0)
        #expect(counter.value == 42)
    }

    @Test func losesNothingAmongThreads() async {
        let counter = Counter()
        await withTaskGroup(of: Void.self) { group in
            for task in 1...8 {
                group.addTask { for _ in 0..<10_000 { counter.add(task) } }
            }
        }
        #expect(counter.value == 10_000 * 36)
    }
}

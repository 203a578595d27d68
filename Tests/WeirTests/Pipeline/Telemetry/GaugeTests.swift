import Testing

@testable import Weir

@Suite struct GaugeTests {
    @Test func goesUpAndDown() {
        let gauge = Gauge()
        #expect(gauge.value == 0)
        gauge.set(7)
        gauge.add(-9.5)
        #expect(gauge.value == -2.5)
        gauge.set(1.25)
        #expect(gauge.value == 1.25)
    }

    @Test func losesNothingAmongThreads() async {
        let gauge = Gauge()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for _ in 0..<5_000 { gauge.add(task.isMultiple(of: 2) ? 3 : -1) } }
            }
        }
        #expect(gauge.value == 4 * 5_000 * 2)
    }
}

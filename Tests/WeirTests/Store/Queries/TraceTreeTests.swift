import Testing

@testable import Weir

@Suite struct TraceTreeTests {
    private func tree(_ spans: [(id: UInt64, parent: UInt64?)]) -> [String] {
        TraceTree(spans).nodes.map { "\($0.depth):\($0.span)" }
    }

    @Test func childrenStandBelowTheirParentsByStart() {
        #expect(tree([(1, nil), (2, 1), (3, 1), (4, 2)]) == ["0:0", "1:1", "2:3", "1:2"])
    }

    @Test func aParentMayStartAfterItsChild() {
        #expect(tree([(2, 1), (1, nil)]) == ["0:1", "1:0"])
    }

    @Test func whoseParentIsMissingStandsAtTheTop() {
        #expect(tree([(1, nil), (3, 2), (4, 3)]) == ["0:0", "0:1", "1:2"])
    }

    @Test func circlesAreBroken() {
        #expect(tree([(1, 1)]) == ["0:0"])
        #expect(tree([(1, 2), (2, 1)]) == ["0:0", "1:1"])
        #expect(tree([(9, nil), (1, 3), (2, 1), (3, 2), (4, 2)]) == ["0:0", "0:1", "1:2", "2:3", "2:4"])
    }

    @Test func ofTwoWithOneIdTheFirstHasTheChildren() {
        #expect(tree([(1, nil), (1, nil), (2, 1)]) == ["0:0", "1:2", "0:1"])
        #expect(tree([(1, nil), (2, 1), (2, 2)]) == ["0:0", "1:1", "2:2"])
    }

    @Test func aDeepTraceNeedsNoStack() {
        let count: UInt64 = 100_000
        let nodes = TraceTree((1...count).map { ($0, $0 - 1) }).nodes
        #expect(nodes.count == Int(count) && nodes.last == TraceTree.Node(span: Int(count) - 1, depth: Int(count) - 1))
    }
}

/// Spans of one trace in the order of a tree: each below its parent, brothers by their start.
///
/// What senders say of parents may be wrong. A span whose parent is not there stands at the top, and so does the
/// earliest of spans that are each other's ancestors. Where two spans have the same id, children stand below the first.
struct TraceTree: Sendable {
    struct Node: Equatable, Sendable {
        /// The index of the span.
        let span: Int
        /// 0 at the top.
        let depth: Int
    }

    private(set) var nodes: [Node] = []

    /// - Parameter spans: id and parent of each, by start.
    init(_ spans: [(id: UInt64, parent: UInt64?)]) {
        var first: [UInt64: Int] = [:]
        for (index, span) in spans.enumerated() where first[span.id] == nil { first[span.id] = index }
        var children: [[Int]] = Array(repeating: [], count: spans.count)
        var tops: [Int] = []
        for (index, span) in spans.enumerated() {
            if let parent = span.parent.flatMap({ first[$0] }), parent != index {
                children[parent].append(index)
            } else {
                tops.append(index)
            }
        }
        var isPlaced = Array(repeating: false, count: spans.count)
        // After those at the top only spans of circles are left.
        for top in tops + Array(spans.indices) where !isPlaced[top] {
            var open = [Node(span: top, depth: 0)]
            isPlaced[top] = true
            while let node = open.popLast() {
                nodes.append(node)
                for child in children[node.span].reversed() where !isPlaced[child] {
                    isPlaced[child] = true
                    open.append(Node(span: child, depth: node.depth + 1))
                }
            }
        }
    }

    init(_ spans: [TraceSpan]) {
        self.init(spans.map { ($0.span.spanID, $0.span.parentSpanID) })
    }
}

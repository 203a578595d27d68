/// ` (did you mean "action"?)`, where one of the known words is close to the one found; else nothing.
func suggestion(for word: String, among known: [String]) -> String {
    let limit = word.utf8.count > 4 ? 2 : 1
    guard word.utf8.count <= 64 else { return "" }
    let nearest = known.map { (word: $0, distance: distance(from: word, to: $0)) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= limit, nearest.distance < word.utf8.count else { return "" }
    return " (did you mean \"\(nearest.word)\"?)"
}

/// How many bytes must be put in, taken out or replaced (Levenshtein).
private func distance(from left: String, to right: String) -> Int {
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (index, byte) in left.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in right.indices {
            let replaced = diagonal + (byte == right[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}

import Testing

@testable import Weir

@Suite struct XMLElementsTests {
    private let text = """
        <?xml version="1.0"?><R xmlns="x"><Part><N>1</N><E>&quot;a&amp;b&#x27;&#39;&quot;</E></Part>
        <Part><N>2</N></Part><N>3</N><Open>
        """

    @Test func findsElementsByNameInTheirOrder() {
        let parts = XMLElements.all("Part", in: text[...])
        #expect(parts.map { XMLElements.first("N", in: $0) } == ["1", "2"])
        #expect(parts.first.flatMap { XMLElements.first("E", in: $0) } == "\"a&b''\"")
    }

    @Test func findsNothingInWhatIsBroken() {
        #expect(XMLElements.first("Open", in: text[...]) == nil)
        #expect(XMLElements.first("N", in: "</N><N>"[...]) == nil)
        #expect(XMLElements.all("Part", in: "<Part><Part>"[...]).isEmpty)
        #expect(XMLElements.first("E", in: "<E>&nothing; &#xFFFFFFFF; &</E>"[...]) == "&nothing; &#xFFFFFFFF; &")
    }

    @Test func writesWhatItReads() {
        let text = "<a & \"b\">"
        #expect(XMLElements.first("E", in: "<E>\(XMLElements.escaped(text))</E>"[...]) == text)
    }
}

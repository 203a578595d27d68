import Testing

@testable import Weir

struct FactorTests {
    @Test(arguments: ["2", "1.5", "0.000001", "1000", "0"]) func saysWhatItWasReadFrom(text: String) throws {
        #expect(try Factor(parsing: text).description == text)
    }

    @Test func whatIsNoNumberIsNotCalledAPrice() {
        #expect(throws: ConfigError(found: "\"twice\"", wanted: "a number with at most six decimals, such as 1.5")) {
            try Factor(parsing: "twice")
        }
    }
}

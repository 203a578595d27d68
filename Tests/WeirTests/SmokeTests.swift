import Testing
import NIOCore
import NIOHTTP1
import NIOPosix
import Logging
import Yams
@testable import Weir
@Test func smoke() { #expect(true) }

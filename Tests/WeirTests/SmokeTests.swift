import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import Yams

@testable import Weir

@Test func smoke() { #expect(true) }

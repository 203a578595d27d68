import CHyperscan
import Foundation

/// The shapes of Weir's detectors as Hyperscan can have them: without check digits and words around, which it leaves to
/// whoever asks it. It says where matches end.
struct Hyperscan: ~Copyable {
    private static let patterns: [String] = [
        // People and machines
        #"[\w.%+'-]+@[\w-]+(\.[\w-]+)+"#, #"\+\d[\d ().-]{6,16}\d"#, #"\(\d{2,5}\) ?\d[\d .-]{5,12}\d"#,
        #"\b\d{3}[-. ]\d{3}[-. ]\d{4}\b"#, #"\b0\d{1,4}[ /-]\d[\d -]{4,9}\d\b"#, #"\b\d{1,3}(\.\d{1,3}){3}\b"#,
        #"\b[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{0,4}){2,7}"#, #"\b[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}\b"#,
        #"://[^\s/@:]{0,128}:[^\s/@]{1,128}@"#, #"[?&](token|key|sig|signature|password|access_token|code)=[^\s&#]+"#,
        #"\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b"#, #"\b[A-Z]{0,2}\d{6,9}\b"#,
        // Money
        #"\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{2,7}\b"#, #"\b3\d{3}[ -]?\d{6}[ -]?\d{5}\b"#,
        #"\b[A-Za-z]{2}\d{2}([ -]?[A-Za-z0-9]){11,30}\b"#, #"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b"#,
        #"\bbc1[a-z0-9]{11,71}\b"#, #"\b0x[0-9A-Fa-f]{40}\b"#, #"\b[A-Z]{2}[A-Z0-9]{9}\d\b"#, #"\b[A-Z0-9]{18}\d\d\b"#,
        // Numbers that states give out
        #"\b\d{3}[- ]\d{2}[- ]\d{4}\b"#, #"\b\d{2}-\d{7}\b"#, #"\b\d{9}\b"#, #"\b\d{10}\b"#, #"\b\d{11}\b"#, #"\b\d{12}\b"#,
        #"\b\d{13}\b"#, #"\b\d{15}\b"#, #"\b\d{17}[\dXx]\b"#, #"\b[A-Z]{2}\d{7}\b"#,
        #"\b\d[A-Z][A-Z0-9]\d-[A-Z][A-Z0-9]\d-[A-Z]{2}\d\d\b"#, #"\b\d{3}[ -]\d{3}[ -]\d{4}\b"#,
        #"\b[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]\b"#, #"\b\d{4}[ -]\d{4}[ -]\d{4}\b"#, #"\b[A-Z]{5}\d{4}[A-Z]\b"#,
        #"\b\d{3}\.\d{3}\.\d{3}-\d\d\b"#, #"\b\d\d\.\d{3}\.\d{3}/\d{4}-\d\d\b"#, #"\b\d{3}[- ]\d{3}[- ]\d{3}\b"#,
        #"\b\d{6}-?\d{4}\b"#, #"\b\d{8}-?[A-Za-z]\b"#, #"\b[XYZxyz]\d{7}-?[A-Za-z]\b"#,
        #"\b[A-Za-z]{6}[0-9LMNP-V]{2}[A-Za-z][0-9LMNP-V]{2}[A-Za-z][0-9LMNP-V]{3}[A-Za-z]\b"#,
        #"\b[12][ .]?\d\d[ .]?\d\d[ .]?\d\d[ .]?\d{3}[ .]?\d{3}\b"#, #"\b\d\d\.\d\d\.\d\d-\d{3}\.\d\d\b"#,
        #"\b\d{6}[-+A-F]\d{3}[0-9A-Y]\b"#, #"\b\d{6}-\d{7}\b"#, #"\b\d\d \d{3} \d{3} \d{3}\b"#,
        #"\b756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d\b"#,
        // Secrets
        #"\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*"#, #"-----BEGIN [A-Z ]*PRIVATE KEY"#, #"\bA[KSBC][IC]A[A-Z0-9]{16}\b"#,
        #"\bgh[pousr]_[A-Za-z0-9]{36,76}\b"#, #"\bgithub_pat_\w{70,100}\b"#, #"\bgl(pat|dt|rt)-[\w-]{20,64}"#,
        #"\bxox[abeprs]-[\w-]{10,200}"#, #"\b[sr]k_(live|test)_[A-Za-z0-9]{10,250}\b"#, #"\bAIza[\w-]{35}"#,
        #"\bsk-(ant|proj|svcacct|admin|or-v1|lf)-[\w-]{36,220}"#, #"\bsk-[A-Za-z0-9]{32,64}\b"#,
        #"\b(hf|npm|gsk|r8|glsa|shpat|shpss|dop_v1|lsv2_pt)_[\w]{32,64}\b"#, #"\bSG\.[\w-]{22}\.[\w-]{43}\b"#,
        #"\bhv[sbr]\.[\w-]{24,300}"#,
        #"(?i)(password|passwd|pwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token|authorization)["']? ?[:=] ?["']?\S{6,}"#,
    ]

    private var database: OpaquePointer?
    private var scratch: OpaquePointer?

    /// Nil where one of the patterns does not compile.
    init?() {
        let texts = Self.patterns.map { strdup($0) }
        defer { texts.forEach { free($0) } }
        var problem: UnsafeMutablePointer<hs_compile_error_t>?
        let ids = (0..<UInt32(texts.count)).map(\.self)
        let flags = [UInt32](repeating: 0, count: texts.count)
        let code = hs_compile_multi(
            texts.map { UnsafePointer($0) }, flags, ids, UInt32(texts.count), UInt32(HS_MODE_BLOCK), nil, &database,
            &problem)
        guard code == HS_SUCCESS, hs_alloc_scratch(database, &scratch) == HS_SUCCESS else {
            if let problem {
                print("hyperscan: \(String(cString: problem.pointee.message)) in \(problem.pointee.expression)")
                hs_free_compile_error(problem)
            }
            return nil
        }
    }

    deinit {
        hs_free_scratch(scratch)
        hs_free_database(database)
    }

    /// - Returns: how many matches end in the text.
    func scan(_ text: UnsafeRawBufferPointer) -> Int {
        var found = 0
        withUnsafeMutablePointer(to: &found) { found in
            _ = hs_scan(
                database, text.assumingMemoryBound(to: CChar.self).baseAddress, UInt32(text.count), 0, scratch,
                { _, _, _, _, found in
                    found?.assumingMemoryBound(to: Int.self).pointee += 1
                    return 0
                }, found)
        }
        return found
    }
}

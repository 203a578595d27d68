/// What of an attribute is to be encrypted.
enum EncryptionWish: BitwiseCopyable {
    case none
    case whole
    /// What stands at certain paths in its value.
    case members
}

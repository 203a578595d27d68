/// Has the keys of files that are sealed as a whole.
protocol FileKeys: Sendable {
    /// The data key that the file was sealed with, or why it cannot be had. May wait for a disk.
    func secret(_ id: UInt64, of path: String) -> Result<SecretKey, Unreadable>
}

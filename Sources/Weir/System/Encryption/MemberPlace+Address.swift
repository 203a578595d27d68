extension MemberPlace {
    /// What a ciphertext that stands there is bound to.
    var address: FieldAddress.Path { FieldAddress.Path(key: key, pointer: pointer) }
}

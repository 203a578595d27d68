/// What becomes of something that was found.
enum RedactionAction: String, CaseIterable, Sendable {
    /// `[EMAIL]` in its place.
    case mask
    /// Its last four letters and digits stay; of an e-mail address its domain.
    case partial
    /// A keyed token, alike for what is alike within a tenant: `tok_email_` and sixteen characters.
    case hash
    /// The whole text that it stands in becomes `[EMAIL]`.
    case dropValue = "drop_value"
    /// The attribute that it stands in goes; where a text is no attribute's, as `drop_value`.
    case drop
}

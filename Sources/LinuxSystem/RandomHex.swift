/// Names that nobody else has.
public enum RandomHex {
    /// This many hexadecimal digits from the kernel's generator, of which 64 are as good as unique.
    public static func digits(_ count: Int = 64) -> String {
        let digits = Array("0123456789abcdef")
        var generator = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in digits[Int.random(in: 0..<16, using: &generator)] })
    }
}

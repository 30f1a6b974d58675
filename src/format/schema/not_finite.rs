/// Returns the text that the reference writes for what JSON has no number for; `None` is for a number.
pub(super) fn not_finite(number: f64) -> Option<&'static str> {
    match number {
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => number.is_nan().then_some("NaN"),
    }
}

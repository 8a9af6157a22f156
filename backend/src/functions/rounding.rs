//! Numbers cut to so many digits as Python's `round` does it: to the nearest such number, and of two equally near ones to the even.

/// A power of ten that a float holds exactly, up to the 22nd.
fn power_of_ten(digits: i32) -> Option<f64> {
    (0..=22).contains(&digits).then(|| 10_f64.powi(digits))
}

/// A number with so many digits behind the point; before it where `digits` is below zero.
pub(super) fn round(value: f64, digits: i32) -> f64 {
    if !value.is_finite() {
        return value;
    }
    match (power_of_ten(digits), power_of_ten(-digits)) {
        (Some(power), _) => round_behind_point(value, digits as usize, power),
        (_, Some(power)) => (value / power).round_ties_even() * power,
        // No float has digits so far behind the point that are not digits of its own.
        _ if digits > 0 => value,
        _ => 0.0,
    }
}

fn round_behind_point(value: f64, digits: usize, power: f64) -> f64 {
    let scaled = value * power;
    if scaled.abs() >= 1e15 {
        return slowly(value, digits);
    }
    let nearest = scaled.round();
    // A product is off by its last bit at most: only close to the middle can that change which side is nearer.
    let is_clear = ((scaled - scaled.trunc()).abs() - 0.5).abs() > 4.0 * f64::EPSILON * scaled.abs();
    if is_clear { nearest / power } else { slowly(value, digits) }
}

/// By the decimal digits themselves, which is exact.
fn slowly(value: f64, digits: usize) -> f64 {
    format!("{value:.digits$}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_where_the_float_lies() {
        let check = |value: f64, digits: i32, expected: f64| {
            assert_eq!(round(value, digits).to_bits(), expected.to_bits(), "{value} to {digits} digits");
        };
        check(2.5, 0, 2.0);
        check(3.5, 0, 4.0);
        check(-2.5, 0, -2.0);
        check(2.675, 2, 2.67);
        check(0.125, 2, 0.12);
        check(1.005, 2, 1.0);
        check(15.0, -1, 20.0);
        check(25.0, -1, 20.0);
        check(1e300, 6, 1e300);
        check(1.5, 400, 1.5);
        check(1.5, -400, 0.0);
        check(f64::INFINITY, 2, f64::INFINITY);
    }

    proptest! {
        #[test]
        fn the_quick_way_gives_what_the_digits_give(value in -1e9_f64..1e9, digits in 0_i32..8) {
            prop_assert_eq!(round(value, digits).to_bits(), slowly(value, digits as usize).to_bits());
        }

        #[test]
        fn the_quick_way_is_right_at_halves(whole in -1_000_000_i64..1_000_000, digits in 0_i32..8) {
            let value = (whole as f64 + 0.5) / 10_f64.powi(digits);
            prop_assert_eq!(round(value, digits).to_bits(), slowly(value, digits as usize).to_bits());
        }
    }
}

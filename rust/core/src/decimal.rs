//! Decimal numbers, for names in /proc. The formatting of core would bring panics into the library.

/// The decimal digits of a number.
pub struct Decimal {
    digits: [u8; 10],
    start: usize,
}

impl Decimal {
    pub fn new(number: u32) -> Self {
        let mut digits = [0; 10];
        let mut start = digits.len();
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            start -= 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

/// Parses a number as [`Decimal`] writes it: digits only, no leading zero, at most 2^32 - 1.
pub fn parse(text: &[u8]) -> Option<u32> {
    if text.is_empty() || (text.len() > 1 && text.first() == Some(&b'0')) {
        return None;
    }
    text.iter().try_fold(0u32, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_digits_and_the_digits_their_number() {
        for number in [0, 1, 9, 10, 42, 100, 65535, 4_194_304, 4_294_967_294, u32::MAX] {
            assert_eq!(Decimal::new(number).as_bytes(), number.to_string().as_bytes());
            assert_eq!(parse(Decimal::new(number).as_bytes()), Some(number));
        }
    }

    #[test]
    fn what_is_no_such_number_is_none() {
        for text in
            ["", "self", "-1", "+1", " 1", "1 ", "01", "1.0", "0x1", "4294967296", "99999999999"]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}

//! Which plural form says "one" and which says "many".
//!
//! The `Plural-Forms` header of a PO file holds a C expression over `n` that
//! gives the index of the form. Form 0 is not always the singular (it is the
//! zero in Arabic) and the last not always the plural (it is the zero in
//! Latvian), so the expression is asked, for 1 and for 100.

/// The two forms that become records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forms {
    /// The form for one.
    pub(super) one: usize,
    /// The form for a hundred, which every language we know of counts among
    /// its plain plural: 5 is a paucal in Arabic, 2 a dual in Slovenian.
    pub(super) many: usize,
}

impl Forms {
    /// Reads the value of a `Plural-Forms` field.
    pub(super) fn of_header(value: &str) -> Option<Self> {
        let (_, expression) = value.split_once("plural=")?;
        let expression = expression.split(';').next()?;
        Some(Self {
            one: evaluate(expression, 1)?,
            many: evaluate(expression, 100)?,
        })
    }

    /// The two forms of an entry that has `n` of them: the first and the last
    /// where there is no header to ask, or it asks for more.
    pub(super) fn among(this: Option<Self>, n: usize) -> Self {
        this.filter(|forms| forms.one < n && forms.many < n)
            .unwrap_or(Self {
                one: 0,
                many: n.saturating_sub(1),
            })
    }
}

fn evaluate(expression: &str, n: u64) -> Option<usize> {
    let mut parser = Parser {
        rest: expression.as_bytes(),
        n,
        depth: 0,
    };
    let value = parser.ternary()?;
    parser.skip_space();
    parser
        .rest
        .is_empty()
        .then(|| usize::try_from(value).ok())?
}

/// The binary operators, the loosest first; of one level, longer ones first.
const LEVELS: [&[&str]; 6] = [
    &["||"],
    &["&&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// The deepest nesting that is read; a header has two or three levels.
const MAX_DEPTH: usize = 40;

/// Evaluates while it parses.
struct Parser<'a> {
    rest: &'a [u8],
    n: u64,
    depth: usize,
}

impl Parser<'_> {
    fn ternary(&mut self) -> Option<u64> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut value = self.binary(0)?;
        if self.eat("?") {
            let if_true = self.ternary()?;
            let if_false = self.eat(":").then(|| self.ternary())??;
            value = if value != 0 { if_true } else { if_false };
        }
        self.depth -= 1;
        Some(value)
    }

    fn binary(&mut self, level: usize) -> Option<u64> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.eat(operator)) {
            let right = self.binary(level + 1)?;
            left = apply(operator, left, right);
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<u64> {
        let mut n_nots = 0;
        while self.eat("!") {
            n_nots += 1;
        }
        let value = self.atom()?;
        Some(match n_nots {
            0 => value,
            odd if odd % 2 == 1 => u64::from(value == 0),
            _ => u64::from(value != 0),
        })
    }

    fn atom(&mut self) -> Option<u64> {
        if self.eat("n") {
            return Some(self.n);
        }
        if self.eat("(") {
            let value = self.ternary()?;
            return self.eat(")").then_some(value);
        }
        let digits = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token.as_bytes());
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// What C gives, with 0 for what it leaves undefined.
fn apply(operator: &str, left: u64, right: u64) -> u64 {
    match operator {
        "||" => u64::from(left != 0 || right != 0),
        "&&" => u64::from(left != 0 && right != 0),
        "==" => u64::from(left == right),
        "!=" => u64::from(left != right),
        "<=" => u64::from(left <= right),
        ">=" => u64::from(left >= right),
        "<" => u64::from(left < right),
        ">" => u64::from(left > right),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.checked_div(right).unwrap_or(0),
        _ => left.checked_rem(right).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<(usize, usize)>) {
        let expected = expected.map(|(one, many)| Forms { one, many });
        assert_eq!(Forms::of_header(value), expected, "{value}");
    }

    #[test]
    fn one_and_many_are_found() {
        check("nplurals=1; plural=0;", Some((0, 0)));
        check("nplurals=2; plural=(n != 1);", Some((0, 1)));
        check("nplurals=2; plural=n>1;", Some((0, 1)));
        let spanish = "nplurals=3; plural=n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2;";
        check(spanish, Some((0, 2)));
        let russian = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);";
        check(russian, Some((0, 2)));
        let arabic = "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5;";
        check(arabic, Some((1, 5)));
        let slovenian =
            "nplurals=4; plural=(n%100==1 ? 1 : n%100==2 ? 2 : n%100==3 || n%100==4 ? 3 : 0)";
        check(slovenian, Some((1, 0)));
        check(
            "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2);",
            Some((0, 1)),
        );
    }

    #[test]
    fn what_is_no_expression_is_none() {
        for value in [
            "",
            "nplurals=INTEGER; plural=EXPRESSION;",
            "nplurals=2; plural=n !",
            "nplurals=2; plural=(n",
        ] {
            check(value, None);
        }
        check(
            &format!("nplurals=2; plural={}", "(".repeat(1_000_000)),
            None,
        );
        check("nplurals=2; plural=n % 0 / 0", Some((0, 0)));
        check("nplurals=2; plural=!!n", Some((1, 1)));
        check("nplurals=2; plural=99999999999999999999", None);
    }

    #[test]
    fn the_first_and_the_last_stand_in() {
        assert_eq!(Forms::among(None, 3), Forms { one: 0, many: 2 });
        let asks_for_more = Some(Forms { one: 1, many: 5 });
        assert_eq!(Forms::among(asks_for_more, 2), Forms { one: 0, many: 1 });
    }
}

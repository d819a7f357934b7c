//! The known word that is nearest to an unknown one.

/// Finds the word that is nearest to `word`, whatever the case, if one is near
/// enough that it was probably meant: at most a third of its characters away,
/// a swap of two neighbours counting once. The first of equals wins.
pub fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let lower = word.to_lowercase();
    let distance = |known: &str| strsim::osa_distance(&lower, &known.to_lowercase());
    known
        .into_iter()
        .map(|known| (distance(known), known))
        .filter(|(distance, known)| *distance <= known.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["contents", "systemInstruction", "tools"];
        assert_eq!(nearest("content", known), Some("contents"));
        assert_eq!(
            nearest("SystemInstructions", known),
            Some("systemInstruction")
        );
        assert_eq!(nearest("toosl", known), Some("tools"));
        assert_eq!(nearest("messages", known), None);
        assert_eq!(nearest("", known), None);
    }
}

use super::*;

/// The discs that were mastered before and booted, each behind its digest or why it is refused.
const DIGESTS: &str = include_str!("../../../scenarios/digests.txt");

#[test]
fn discs_are_the_bytes_that_they_were() {
    let mut discs = 0;
    for line in DIGESTS.lines() {
        let (was, id) = line.rsplit_once("  ").unwrap();
        // `xtask check` makes all of them; here are those of no size, on the smallest medium or on none: one for each boot mode and
        // deviation.
        let [_, medium @ ("-" | "cd-8cm"), boot, "-", "reference"] =
            id.split('/').collect::<Vec<_>>()[..]
        else {
            continue;
        };
        let medium = (medium != "-").then(|| medium.parse().unwrap());
        let is = match master(id, medium, &boot.parse().unwrap(), None) {
            Ok(disc) => disc.bytes.digest(),
            Err(refusal) => format!("refused: {refusal}"),
        };
        assert_eq!(is, was, "{id}");
        discs += 1;
    }
    assert!(discs > 100, "{discs} discs");
}

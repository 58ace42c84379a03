use super::*;

/// The discs that were mastered before and booted, each behind its digest or why it is refused.
const DIGESTS: &str = include_str!("../../../scenarios/digests.txt");

#[test]
fn discs_are_the_bytes_that_they_were() {
    let mut discs = 0;
    for line in DIGESTS.lines() {
        let (was, id) = line.rsplit_once("  ").unwrap();
        // `xtask check` makes all of them; here are those of no medium and no size, one for each boot mode and deviation.
        let [_, "-", boot, "-", "reference"] = id.split('/').collect::<Vec<_>>()[..] else {
            continue;
        };
        let is = match master(id, None, &boot.parse().unwrap(), None) {
            Ok(disc) => disc.bytes.digest(),
            Err(refusal) => format!("refused: {refusal}"),
        };
        assert_eq!(is, was, "{id}");
        discs += 1;
    }
    assert!(discs > 100, "{discs} discs");
}

use super::*;

#[test]
fn reads_that_touch_are_one_and_only_structures_count() {
    let read = |offset, bytes| DiscRead { offset, bytes };
    // A disk is read in units of 512 bytes.
    let reads = [
        read(17 * 2048, 2048),
        read(51_200, 512),
        read(51_712, 4096),
        read(16 * 2048, 2048),
        read(0, 512),
    ];
    assert_eq!(ranges(&reads), [(0, 1), (16, 18), (25, 28)]);
    assert_eq!(ranges(&[read(u64::MAX, 512)]).len(), 1);
}

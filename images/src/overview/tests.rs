use proptest::prelude::*;

use super::*;
use crate::{
    boot::Boot,
    inspect::{Options, Source, inspect},
    reference::master,
    units::BLOCK_BYTES,
};

fn overview(disc: &dyn Source) -> (Inspection, Overview) {
    let mut window = Window::new(disc);
    let inspection = inspect(&mut window, &Options::default()).unwrap();
    let map = DiscMap::read(&mut window, &inspection);
    let overview = Overview::read(&mut window, &inspection, &map);
    (inspection, overview)
}

fn of(boot: &str) -> (Inspection, Overview) {
    let boot: Boot = boot.parse().unwrap();
    overview(
        &master("overview/-/-/-/reference", None, &boot, None)
            .unwrap()
            .bytes,
    )
}

fn field<'o>(overview: &'o Overview, what: &str, name: &str) -> (usize, &'o [u8]) {
    let excerpt = overview
        .excerpts
        .iter()
        .find(|excerpt| excerpt.what.contains(what))
        .unwrap_or_else(|| panic!("{what} is not shown"));
    let field = excerpt.fields.iter().find(|field| field.name == name);
    let field = field.unwrap_or_else(|| panic!("{what} has no {name}"));
    (field.at, &excerpt.bytes[field.at..field.at + field.bytes])
}

#[test]
fn fields_are_where_the_specification_has_them() {
    let (inspection, overview) = of("bios+efi");
    let catalog = inspection.catalog.as_ref().unwrap();
    let lba = u32::try_from(catalog.lba.get()).unwrap().to_le_bytes();
    // El Torito 1.0, figure 7, figure 2, figure 3, figure 5.
    assert_eq!(
        field(&overview, "boot record", "LBA of the catalog"),
        (0x47, &lba[..])
    );
    assert_eq!(
        field(&overview, "slot 0", "key bytes 55 AA"),
        (0x1E, &[0x55, 0xAA][..])
    );
    assert_eq!(field(&overview, "slot 0", "checksum").0, 0x1C);
    assert_eq!(
        field(&overview, "slot 1", "boot indicator"),
        (0, &[0x88][..])
    );
    assert_eq!(field(&overview, "slot 2", "platform id"), (1, &[0xEF][..]));
    for (slot, kind) in [(1, "initial"), (3, "section")] {
        let what = format!("slot {slot} of the catalog: {kind} entry");
        let (_, boot) = inspection
            .entries()
            .find(|(entry, _)| entry.slot == slot)
            .unwrap();
        let count = u16::try_from(boot.sector_count.get())
            .unwrap()
            .to_le_bytes();
        let rba = u32::try_from(boot.load_rba.get()).unwrap().to_le_bytes();
        assert_eq!(field(&overview, &what, "sector count"), (6, &count[..]));
        assert_eq!(field(&overview, &what, "load RBA"), (8, &rba[..]));
    }
    for excerpt in &overview.excerpts {
        let fields: usize = excerpt.fields.iter().map(|field| field.bytes).sum();
        assert_eq!(fields, excerpt.bytes.len(), "{}", excerpt.what);
    }
}

#[test]
fn what_a_finding_points_to_is_shown() {
    for boot in [
        "hard-disk,defect=mbr-signature",
        "none,defect=boot-record-misplaced",
    ] {
        let (inspection, overview) = of(boot);
        assert!(!inspection.findings.is_empty(), "{boot}");
        let faults = inspection.findings.iter();
        for finding in faults.filter(|finding| !finding.is_description()) {
            let shown = overview.excerpts.iter().any(|e| e.holds(finding.offset));
            assert!(shown, "{boot}: {}", finding.message);
        }
    }
}

#[test]
fn regions_say_what_stands_where() {
    let (inspection, overview) = of("none");
    let catalog = inspection.catalog.as_ref().unwrap().lba;
    let of_kind = |kind| {
        let regions = overview.regions.iter();
        let regions = regions.filter(move |region| region.kind == kind);
        regions
            .map(|region| region.offset / BLOCK_BYTES)
            .collect::<Vec<_>>()
    };
    assert_eq!(of_kind(RegionKind::Descriptor), [16, 17, 18]);
    assert_eq!(of_kind(RegionKind::Catalog), [catalog.get()]);
    let (_, boot) = inspection.entries().next().unwrap();
    assert_eq!(of_kind(RegionKind::BootImage), [boot.load_rba.get()]);
}

#[test]
fn a_disc_of_many_files_has_few_regions() {
    let region = |block: u64, kind| Region {
        offset: block * BLOCK_BYTES,
        bytes: ByteCount::new(BLOCK_BYTES),
        kind,
        what: format!("/{block}"),
    };
    let mut regions: Vec<Region> = (20..5000).map(|n| region(n, RegionKind::File)).collect();
    regions.insert(2000, region(2020, RegionKind::Catalog));
    let joined = join(regions);
    let words: Vec<&str> = joined.iter().map(|region| region.what.as_str()).collect();
    assert_eq!(
        words,
        [
            "2000 files, /20 the first",
            "/2020",
            "2980 files, /2020 the first"
        ]
    );
    assert_eq!(joined[0].end(), 2020 * BLOCK_BYTES);
}

#[test]
fn it_can_be_read_back() {
    let (_, overview) = of("bios+efi");
    assert_eq!(overview.capacity, None);
    let overview = overview.for_medium(Some(BlockCount::new(333_000)));
    assert_eq!(overview.capacity, Some(BlockCount::new(333_000)));
    let json = serde_json::to_string(&overview).unwrap();
    assert_eq!(serde_json::from_str::<Overview>(&json).unwrap(), overview);
    for wrong in ["\"bytes\":\"0\"", "\"bytes\":\"zz\"", "\"bytes\":\"0é\""] {
        let json = format!("{{\"what\":\"\",\"offset\":0,{wrong},\"fields\":[]}}");
        assert!(serde_json::from_str::<Excerpt>(&json).is_err(), "{json}");
    }
}

proptest! {
    #[test]
    fn any_catalog_can_be_shown(bytes in proptest::collection::vec(any::<u8>(), 128), at in 0_u64..19) {
        let boot: Boot = "none".parse().unwrap();
        let mut disc = master("overview/-/-/-/reference", None, &boot, None).unwrap();
        let catalog = disc.manifest.catalog.get();
        let lba = if at == 18 { catalog } else { at };
        disc.bytes.write_at(lba * BLOCK_BYTES, &bytes);
        overview(&disc.bytes);
    }
}

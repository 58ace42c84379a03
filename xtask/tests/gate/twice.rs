//! Discs that are mastered twice.

use super::*;

/// A tool that writes an ISO with xorriso, and besides that what a shell command says at the volume's creation date.
fn tool(own: &Own, dates: &str) -> String {
    let script = own.path("master.sh");
    let text = format!(
        "xorriso -report_about SORRY -as mkisofs -R -c boot/boot.cat -b \"$2\" -no-emul-boot -boot-load-size 4 \\\n  \
           --modification-date=2000010100000000 --set_all_file_dates set_to_mtime -o \"$3\" \"$1\"\n\
         {dates} | head -c 16 | dd of=\"$3\" bs=1 seek=33581 conv=notrunc status=none\n"
    );
    fs::write(script, text).unwrap();
    let file = own.path("mine.toml");
    let text = "name = 'mine'\nsummary = 'a tool'\n[[command]]\nmodes = ['none']\n\
                command = 'sh {here}/master.sh {tree} {boot_image} {iso}'\n";
    fs::write(&file, text).unwrap();
    fs::write(own.path("own.toml"), scenario("mine")).unwrap();
    file
}

fn scenario(master: &str) -> String {
    format!(
        "[[scenario]]\nname = 'twice'\nsummary = 'a test'\nboot = ['none']\nmaster = ['{master}']\nfirmware = ['seabios']\n\
         attach = ['ide', 'ahci']\n[[scenario.expect]]\noutcome = 'booted'\nbecause = 'a test'\n"
    )
}

#[test]
fn what_follows_the_clock_is_named_by_its_field() {
    let own = Own::new();
    let tool = tool(&own, "date -u +%Y%m%d00000000");
    let said = own.run(&["--master", &tool, "--twice"]);
    assert_eq!(said.code, 1, "{said:?}");
    let line = said
        .stdout
        .lines()
        .find(|line| line.contains("creation date"))
        .unwrap_or_else(|| panic!("{said:?}"));
    assert!(
        line.starts_with("✗ the creation date of the volume") && line.contains("follows the clock"),
        "{said:?}"
    );
    assert!(said.stdout.contains("SOURCE_DATE_EPOCH"), "{said:?}");
    for iso in ["first.iso", "second.iso"] {
        let iso = own.path("out/discs/twice/-/none/-/mine").clone() + "/" + iso;
        assert!(Path::new(&iso).is_file(), "{iso}");
    }
    let json = own
        .run(&["--master", &tool, "--twice", "--format", "json"])
        .json();
    assert_eq!(json["schema"], "twice/1");
    assert_eq!(
        json["discs"].as_array().unwrap().len(),
        1,
        "a disc is not one for each of its cells"
    );
    let fields = json["discs"][0]["fields"].as_array().unwrap();
    let date = fields
        .iter()
        .find(|field| field["field"] == "the creation date of the volume")
        .unwrap();
    assert_eq!(
        date["follows"]["circumstances"],
        serde_json::json!(["clock"])
    );
    assert_eq!(date["offset"].as_u64().unwrap() / 2048, 16);
}

#[test]
fn what_cannot_be_mastered_twice_is_told() {
    let own = Own::new();
    let said = own.run(&["--master", "reference", "--twice"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.stderr
            .contains("no disc of these cells is mastered by a tool"),
        "{said:?}"
    );
    assert!(said.stderr.contains("--master TOOL"), "{said:?}");
    let said = own.run(&["--twice", "--list"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.stderr.contains("--twice") && said.stderr.contains("--list"),
        "{said:?}"
    );
    let missing = own.path("missing.toml");
    let text = "name = 'missing'\nsummary = 'none'\n[[command]]\nmodes = ['none']\ncommand = 'no-such-program {iso}'\n";
    fs::write(&missing, text).unwrap();
    fs::write(own.path("own.toml"), scenario("missing")).unwrap();
    let said = own.run(&["--master", &missing, "--twice"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(
        said.stderr.contains("no-such-program is not installed"),
        "{said:?}"
    );
}

//! The EFI programs of a disc: who signed each, and which machines start it with Secure Boot on.

use std::io::{self, Write};

use images::inspect::{
    ProgramPlace, ProgramReading, SecureBootReading, SignatureReading, TrustedBy,
};

use crate::columns::table;

/// Writes the table, where something is signed: a finding says that nothing is. Then what the machine does whose keys were given.
pub(super) fn write(out: &mut impl Write, read: &SecureBootReading) -> io::Result<()> {
    write_table(out, read)?;
    let programs = read.programs.iter();
    let told: Vec<_> = programs
        .filter_map(|program| Some((&program.path, program.on_machine.as_ref()?)))
        .collect();
    if !told.is_empty() {
        writeln!(
            out,
            "\nPrediction for a machine with the keys of --db and Secure Boot on:"
        )?;
    }
    for (path, on_machine) in told {
        let does = match on_machine.starts {
            Some(true) => "is started",
            Some(false) => "is refused",
            None => "not known",
        };
        writeln!(out, "  {path} {does}: {}", on_machine.because)?;
    }
    Ok(())
}

fn write_table(out: &mut impl Write, read: &SecureBootReading) -> io::Result<()> {
    if !read
        .programs
        .iter()
        .any(|program| program.signature_count > 0 || program.problem.is_some())
    {
        return Ok(());
    }
    let head = ["program", "in", "signed by", "SBAT", "trusted by"];
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).to_vec()];
    for program in &read.programs {
        let row = row(program);
        // The same program in the image and in the tree is one line.
        let same = rows.iter_mut().find(|it| is_same(it, &row));
        match (same, row.get(1)) {
            (Some(same), Some(place)) => {
                if let Some(places) = same.get_mut(1)
                    && !places.split(", ").any(|it| it == place)
                {
                    places.push_str(", ");
                    places.push_str(place);
                }
            }
            _ => rows.push(row),
        }
    }
    writeln!(out)?;
    table(out, &rows, &[])?;
    writeln!(
        out,
        "2011 and 2023 are machines that have only Microsoft's certificates of that year, with Secure Boot on. This is derived only from the signatures."
    )?;
    let list = read.revocation_list.as_deref();
    let list = list.map_or_else(
        || "no revocation list (dbx), since none is installed here (--dbx names one)".to_owned(),
        |source| format!("the revocation list {source}"),
    );
    let level = read.sbat_level.as_deref();
    let level =
        level.unwrap_or("no SBAT level, since no shim is installed here (--sbat-level names one)");
    writeln!(out, "Compared with: {list}; {level}.")
}

fn is_same(one: &[String], other: &[String]) -> bool {
    let name = |row: &[String]| {
        let path = row.first().map(|path| path.replace('\\', "/"));
        path.unwrap_or_default().to_ascii_lowercase()
    };
    name(one) == name(other) && one.get(2..) == other.get(2..)
}

fn row(program: &ProgramReading) -> Vec<String> {
    let place = match (program.place, program.slot) {
        (ProgramPlace::Image, Some(slot)) => format!("slot {slot}"),
        (ProgramPlace::Image, None) => "a FAT image".to_owned(),
        (ProgramPlace::Tree, _) => "the tree".to_owned(),
        (ProgramPlace::Udf, _) => "UDF".to_owned(),
    };
    let sbat = program.sbat.iter().filter(|it| it.component != "sbat");
    let sbat: Vec<String> = sbat
        .map(|it| format!("{} {}", it.component, it.generation))
        .collect();
    vec![
        program.path.clone(),
        place,
        signed_by(program),
        if sbat.is_empty() {
            "-".to_owned()
        } else {
            sbat.join(", ")
        },
        trusted_by(program),
    ]
}

fn signed_by(program: &ProgramReading) -> String {
    if program.signature_count == 0 && program.problem.is_none() {
        return "nobody".to_owned();
    }
    let mut signers: Vec<String> = program.signatures.iter().map(signer).collect();
    let more = program.signature_count.saturating_sub(signers.len());
    signers.dedup();
    if more > 0 {
        signers.push(format!("{more} more"));
    }
    signers.extend(program.problem.clone());
    signers.join(", ")
}

fn signer(signature: &SignatureReading) -> String {
    let authority = signature
        .authority
        .map(|authority| authority.name().to_owned());
    let by = authority.or_else(|| signature.issuer.clone());
    let by = by.unwrap_or_else(|| "a signature".to_owned());
    match &signature.problem {
        Some(problem) => format!("{by} ({problem})"),
        None => by,
    }
}

fn trusted_by(program: &ProgramReading) -> String {
    let trusted = match program.trusted_by {
        TrustedBy::Both => "2011 and 2023",
        TrustedBy::Only2011 => "2011",
        TrustedBy::Only2023 => "2023",
        TrustedBy::Neither => "neither",
        TrustedBy::Unknown => "not known: not read whole",
    };
    let through = program.through.as_ref().map_or("", |_| ", through shim");
    let revoked = program.revoked.as_ref().map_or("", |_| ", but revoked");
    format!("{trusted}{through}{revoked}")
}

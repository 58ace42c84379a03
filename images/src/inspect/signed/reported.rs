//! Reporting a disc's EFI programs.

use super::{
    program::DiscProgram,
    reading::{
        OnMachine, ProgramReading, SectionReading, SecureBootReading, ShimReading, SignatureReading,
    },
};
use crate::{
    bytes::hex,
    inspect::examined::Reading,
    signature::{
        Answer, Authority, Certificate, MachineKeys, Name, ProgramKind, SignedData, SignedProgram,
    },
};

/// What is reported of them.
pub(in crate::inspect) fn report(reading: &mut Reading<'_, '_>) -> SecureBootReading {
    let programs = reading.programs();
    let revocations = reading.options.revocations;
    let list = revocations.and_then(|it| it.list.as_ref());
    let level = revocations.and_then(|it| it.level.as_ref());
    let machine = reading.options.machine;
    let report = |program: &DiscProgram| {
        let revoked = list.and_then(|it| program.signed.refused_by(&it.list, &[]));
        let through = program.through.and_then(|shim| programs.get(shim));
        let on_machine = machine.and_then(|keys| on_machine(keys, program, &programs));
        ProgramReading {
            on_machine,
            ..program.report(through, revoked)
        }
    };
    SecureBootReading {
        programs: programs.iter().map(report).collect(),
        revocation_list: list.map(|it| it.source.clone()),
        sbat_level: level.map(|it| it.source.clone()),
    }
}

/// What a machine does with a program that its firmware starts, that a shim beside it starts, or that GRUB asks this shim about. What nobody reaches is not started.
fn on_machine(
    keys: &MachineKeys,
    program: &DiscProgram,
    programs: &[DiscProgram],
) -> Option<OnMachine> {
    if program.is_loader {
        return Some(keys.judge(&program.signed).into());
    }
    let starts = |shim: &DiscProgram, it: &DiscProgram| {
        let name = shim
            .signed
            .shim
            .as_ref()
            .and_then(|it| it.starts.as_deref());
        (it.place, it.slot) == (shim.place, shim.slot)
            && name.is_some_and(|name| name.eq_ignore_ascii_case(it.name()))
    };
    let mut shims = programs
        .iter()
        .filter(|it| it.is_loader && it.signed.shim.is_some());
    let is_kernel = program.signed.kind == ProgramKind::LinuxKernel;
    let (shim, second) = shims.find_map(|shim| {
        let second = programs.iter().find(|it| starts(shim, it))?;
        let asks_shim = is_kernel && second.signed.kind == ProgramKind::Grub;
        (asks_shim || std::ptr::eq(second, program)).then_some((shim, second))
    })?;
    let before = [
        (shim, keys.judge(&shim.signed)),
        (
            second,
            keys.judge_by_shim(&shim.signed, &second.signed, true),
        ),
    ];
    let on_the_way = if is_kernel { &before[..] } else { &before[..1] };
    for (program, answer) in on_the_way {
        match answer {
            Answer::Starts(_) => {}
            Answer::Refuses(why) => {
                return Some(Answer::Refuses(format!("{} is refused: {why}", program.path)).into());
            }
            Answer::Unknown(_) => return Some(answer.clone().into()),
        }
    }
    Some(
        keys.judge_by_shim(&shim.signed, &program.signed, !is_kernel)
            .into(),
    )
}

impl DiscProgram {
    pub(super) fn report(&self, through: Option<&Self>, revoked: Option<String>) -> ProgramReading {
        let vendors: &[Certificate] = through
            .and_then(|it| it.signed.shim.as_ref())
            .map_or(&[], |shim| &shim.keys.certificates);
        let signed = &self.signed;
        let signatures = signed.signatures.iter().map(|read| match read {
            Ok(signature) => signature_of(signed, signature, vendors),
            Err(problem) => SignatureReading {
                signer: None,
                issuer: None,
                chain: Vec::new(),
                authority: None,
                problem: Some(problem.to_string()),
            },
        });
        let sections = signed.sections.iter().map(|section| SectionReading {
            name: section.name.clone(),
            bytes: section.length,
        });
        ProgramReading {
            place: self.place,
            slot: self.slot,
            path: self.path.clone(),
            offset: self.offset(),
            bytes: self.file.length,
            machine: self.machine.name(),
            kind: signed.kind,
            sha256: signed.digests.as_ref().map(|it| hex(it.sha256)),
            signatures: signatures.collect(),
            signature_count: signed.signature_count,
            problem: signed.problem.clone(),
            sbat: signed
                .sbat
                .as_ref()
                .map_or_else(Vec::new, |it| it.0.clone()),
            sections: sections.collect(),
            shim: signed.shim.as_ref().map(|shim| ShimReading {
                vendor: shim
                    .keys
                    .certificates
                    .iter()
                    .map(|it| it.subject.common_name())
                    .collect(),
                vendor_bytes: shim.keys.trusted_bytes,
                refuses: shim.keys.refused.len(),
                refuses_bytes: shim.keys.refused_bytes,
                starts: shim.starts.clone(),
                sets_sbat_level: shim.sets.as_ref().and_then(|it| it.date.clone()),
                newest_sbat_level: shim.newest.as_ref().and_then(|it| it.date.clone()),
            }),
            trusted_by: self.trusted_by,
            through: through.map(|it| it.path.clone()),
            revoked,
            on_machine: None,
        }
    }
}

fn signature_of(
    program: &SignedProgram,
    signature: &SignedData,
    vendors: &[Certificate],
) -> SignatureReading {
    let proved = signature.prove(program.digests.as_ref());
    let chain = match &proved {
        Ok(signer) => signature.chain(signer, vendors),
        Err(_) => Vec::new(),
    };
    let name = |name: &Name| name.common_name();
    SignatureReading {
        signer: signature.signer().map(|it| name(&it.subject)),
        issuer: Some(name(signature.issuer())),
        authority: chain.iter().find_map(|it| Authority::of(it)),
        chain: chain.iter().map(|it| name(&it.subject)).collect(),
        problem: proved.err().map(|problem| problem.to_string()),
    }
}

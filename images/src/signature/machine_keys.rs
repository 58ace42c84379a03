//! What a machine with Secure Boot does with a program, by the keys in its variables (UEFI §32.4; EDK2, `DxeImageVerificationLib.c`, `DxeImageVerificationHandler`).

use super::{program::SignedProgram, signature_list::SignatureList};

/// The keys of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineKeys {
    /// What it trusts; `None` in setup mode, where no owner has given it keys: it starts everything.
    pub db: Option<SignatureList>,
    /// What it refuses, whatever `db` says.
    pub dbx: SignatureList,
}

/// Whether firmware starts a program, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Starts(String),
    Refuses(String),
    /// Firmware may read what is not read here.
    Unknown(String),
}

impl MachineKeys {
    /// What firmware does with a program.
    pub(crate) fn judge(&self, program: &SignedProgram) -> Answer {
        let Some(db) = &self.db else {
            // BasePeCoff.c, PeCoffLoaderGetPeHeader: the last byte of the table must be in the file.
            return match program.is_table_cut {
                true => Answer::Refuses("its certificate table ends behind its file".to_owned()),
                false => Answer::Starts("the machine is in setup mode".to_owned()),
            };
        };
        // Firmware stops at a table that contradicts itself, whatever stands before.
        if let Some(problem) = &program.problem {
            return Answer::Refuses(problem.clone());
        }
        let Some(digests) = &program.digests else {
            return Answer::Unknown("it was not read whole (--verify does)".to_owned());
        };
        // A certificate on the way may stand in the lists alone.
        let chains = program.chains(&db.certificates);
        if let Some(what) = program.refused_by(&self.dbx, &db.certificates) {
            return Answer::Refuses(format!("dbx revokes {what}"));
        }
        let mut problems = program.problems();
        let not_read = problems.find(|problem| problem.is_not_read());
        let not_read =
            not_read.map(|problem| Answer::Unknown(format!("of a signature, {problem}")));
        // What is not read may be what dbx revokes.
        let may_be_revoked =
            !self.dbx.certificates.is_empty() || !self.dbx.certificate_digests.is_empty();
        if let Some(unknown) = not_read.clone().filter(|_| may_be_revoked) {
            return unknown;
        }
        let mut certificates = chains.iter().flatten();
        if let Some(known) = certificates.find(|it| db.has_certificate(it)) {
            return Answer::Starts(format!(
                "db has \"{}\" or its issuer",
                known.subject.common_name()
            ));
        }
        if db.has_program(&digests.sha256) {
            return Answer::Starts("db has its hash".to_owned());
        }
        if let Some(unknown) = not_read {
            return unknown;
        }
        let tops = chains.iter().filter_map(|chain| chain.last());
        let mut namesakes =
            tops.filter(|top| db.certificates.iter().any(|it| it.subject == top.issuer));
        if let Some(top) = namesakes.next() {
            return Answer::Unknown(format!(
                "db has the issuer of \"{}\" by its name, and its signature is of a kind that is not read here",
                top.subject.common_name()
            ));
        }
        Answer::Refuses(match program.problems().next() {
            Some(problem) => problem.to_string(),
            None if program.is_signed => "no certificate of its signatures is in db".to_owned(),
            None => "it has no signature, and db does not have its hash".to_owned(),
        })
    }

    /// What a shim that firmware has started says of another program (shim, `verify_buffer`): it goes by the machine's lists too, and by its vendor's keys. It asks the one that it
    /// starts itself for SBAT, and not a kernel that GRUB asks it about.
    pub(crate) fn judge_by_shim(
        &self,
        shim: &SignedProgram,
        program: &SignedProgram,
        asks_for_sbat: bool,
    ) -> Answer {
        let Some(carried) = &shim.shim else {
            return Answer::Unknown("what starts it is no shim".to_owned());
        };
        // Without Secure Boot shim verifies nothing.
        if self.db.is_none() {
            return self.judge(program);
        }
        if let Some(problem) = &program.problem {
            return Answer::Refuses(problem.clone());
        }
        if asks_for_sbat && !program.has_sbat {
            return Answer::Refuses("it has no SBAT section, which shim asks for".to_owned());
        }
        if let Some(below) = carried.sets.as_ref().and_then(|level| program.below(level)) {
            return Answer::Refuses(format!("shim sets a level, and {below}"));
        }
        let vendors = &carried.keys.certificates;
        if let Some(what) = program.refused_by(&self.dbx, vendors) {
            return Answer::Refuses(format!("dbx revokes {what}"));
        }
        if let Some(what) = program.refused_by(&carried.keys.refused, vendors) {
            return Answer::Refuses(format!("shim itself revokes {what}"));
        }
        match (program.vendor(carried), self.judge(program)) {
            (Some(vendor), _) => Answer::Starts(format!(
                "shim has its vendor's certificate \"{}\"",
                vendor.subject.common_name()
            )),
            (None, answer) => answer,
        }
    }
}

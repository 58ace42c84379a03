//! Versions of firmware, compared by their numbers.

/// The first dotted run of numbers in a version, for comparison: `1.16.2-debian-1.16.2-1` is 1.16.2.
/// EDK2's stable tags write year and month together, and Fedora's packages the day too: `edk2-stable202502` is 2025.2,
/// `20250221-8.fc41` is 2025.2.21.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<u64>);

impl Version {
    /// The version in a text; `None` if it has no number.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let tag = text.rsplit("edk2-stable").next().unwrap_or(text);
        let start = tag.find(|c: char| c.is_ascii_digit())?;
        let run = tag[start..]
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?;
        let numbers: Vec<u64> = run
            .split('.')
            .filter_map(|number| number.parse().ok())
            .collect();
        match numbers[..] {
            [tag @ 190_001..=299_912] => Some(Self(vec![tag / 100, tag % 100])),
            [day @ 19_000_101..=29_991_231] => {
                Some(Self(vec![day / 10_000, day / 100 % 100, day % 100]))
            }
            [] => None,
            _ => Some(Self(numbers)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let version = |text| Version::find(text).unwrap();
        assert!(version("1.16.2-debian-1.16.2-1") > version("1.9.3"));
        assert!(version("2022.11-6+deb12u2") < version("2025.02"));
        assert_eq!(version("edk2-stable202502"), version("2025.02"));
        assert!(version("20220826gitba0e0e4c6a17") < version("2025.02"));
        assert!(version("20250221-8.fc41") > version("2025.02"));
        assert!(version("20250221-8.fc41") < version("2025.05"));
        assert_eq!(Version::find("unknown"), None);
    }
}

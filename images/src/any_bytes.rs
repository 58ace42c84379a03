//! The readers of files and file systems that have no public type, each as a function of any bytes: what their fuzz targets call.

use std::fmt::Debug;

use crate::{
    inspect::{Source, Window, file::DiscBytes},
    packed,
    syslinux::{Core, ModuleKind, Symbols},
    udf::Udf,
};

/// Reads a file as a kernel, a squashfs and an initial file system.
///
/// # Panics
/// Where a kernel's compressed part ends before it begins.
pub fn packed(source: &dyn Source) {
    let mut disc = Window::new(source);
    let length = source.length();
    let file = DiscBytes::new([(0, length)], length);
    let _ = packed::kernel_length(&mut disc, &file);
    if let Some((start, end)) = packed::kernel_payload(&mut disc, &file) {
        assert!(start <= end, "{start} {end}");
    }
    let _ = packed::squashfs_length(&mut disc, &file);
    shown(&packed::cut_initrd(&mut disc, &file, true));
    let _ = packed::kernel_file(&mut disc, &file);
    shown(&packed::not_an_initrd(&mut disc, &file));
    let _ = packed::is_linux(&mut disc, &file);
}

/// Reads an image as isolinux, and bytes as a module of syslinux for it.
///
/// # Panics
/// Where something else than a module has symbols.
pub fn syslinux(image: &[u8], module: &[u8]) {
    let symbols = Symbols::of(module);
    assert!(symbols.is_none() || ModuleKind::of(module) == Some(ModuleKind::Elf));
    let Some(core) = Core::unpack(image) else {
        return;
    };
    let _ = core.looks_in("/isolinux");
    if let Some(symbols) = symbols {
        shown(&symbols.missing(&[&symbols], &core));
    }
}

/// Reads a disc's UDF.
///
/// # Panics
/// Where a loader was found in a file system that could not be read, has no name, or more bytes than were asked for.
pub fn udf(source: &dyn Source) {
    let mut disc = Window::new(source);
    let Some(udf) = Udf::read(&mut disc) else {
        return;
    };
    assert!(udf.is_read || udf.loaders.is_empty());
    for loader in &udf.loaders {
        assert!(!loader.name().is_empty());
        assert!(loader.file.bytes(&mut disc, 0, 64).len() <= 64);
    }
}

/// # Panics
/// Where a text that a user sees has a control character in it.
fn shown(text: &Option<impl AsRef<str> + Debug>) {
    let has_controls = text
        .as_ref()
        .is_some_and(|it| it.as_ref().contains(char::is_control));
    assert!(!has_controls, "{text:?}");
}

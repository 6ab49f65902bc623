//! The texts that tell build systems where the libraries are. None of them holds a path from outside the installed
//! folder, so that the folder can be moved, packed and unpacked.

use super::install::Place;
use super::library::{self, Library, VERSION};

/// A file for pkg-config. `native_libs` is a variable of its own for those who link the static library by its name.
pub(super) fn pkgconfig(library: &Library, native: &str) -> String {
    let Library { name, description, .. } = library;
    format!(
        "prefix=${{pcfiledir}}/../..
libdir=${{prefix}}/lib
includedir=${{prefix}}/include
native_libs={native}

Name: {name}
Description: {description}
Version: {VERSION}
Libs: -L${{libdir}} -l{name}
Libs.private: ${{native_libs}}
Cflags: -I${{includedir}}
"
    )
}

/// A library's targets for CMake: `Lightbox::NAME` is shared, `Lightbox::NAME-static` is not.
pub(super) fn cmake_target(library: &Library, place: &Place, native: &str) -> String {
    let component = library.component;
    let within = |file: std::path::PathBuf| place.within(&file);
    let link = match place.import(library) {
        Some(import) => format!("IMPORTED_IMPLIB \"${{_lightbox}}/{}\"", within(import)),
        None => format!("IMPORTED_SONAME \"{}\"", library.soname()),
    };
    let (shared, fixed) = (within(place.shared(library)), within(place.fixed(library)));
    let native = native.split_whitespace().collect::<Vec<_>>().join(";");
    format!(
        "add_library(Lightbox::{component} SHARED IMPORTED)
set_target_properties(Lightbox::{component} PROPERTIES
    IMPORTED_LOCATION \"${{_lightbox}}/{shared}\"
    {link}
    INTERFACE_INCLUDE_DIRECTORIES \"${{_lightbox}}/include\")

add_library(Lightbox::{component}-static STATIC IMPORTED)
set_target_properties(Lightbox::{component}-static PROPERTIES
    IMPORTED_LOCATION \"${{_lightbox}}/{fixed}\"
    INTERFACE_LINK_LIBRARIES \"{native}\"
    INTERFACE_INCLUDE_DIRECTORIES \"${{_lightbox}}/include\")
"
    )
}

/// What `find_package(Lightbox CONFIG)` reads.
pub(super) fn cmake_config() -> String {
    let include = |l: &Library| format!("    include(\"${{CMAKE_CURRENT_LIST_DIR}}/{}.cmake\")\n", l.name);
    let targets: String = Library::ALL.iter().map(include).collect();
    format!(
        "if(NOT TARGET Lightbox::lightbox)
    get_filename_component(_lightbox \"${{CMAKE_CURRENT_LIST_DIR}}/../../..\" ABSOLUTE)
{targets}    unset(_lightbox)
endif()

foreach(_component IN LISTS Lightbox_FIND_COMPONENTS)
    if(TARGET Lightbox::${{_component}})
        set(Lightbox_${{_component}}_FOUND TRUE)
    elseif(Lightbox_FIND_REQUIRED_${{_component}})
        set(Lightbox_FOUND FALSE)
        set(Lightbox_NOT_FOUND_MESSAGE \"there is no target Lightbox::${{_component}}\")
    endif()
endforeach()
"
    )
}

/// Whether a program that asks for a version can take this one: by the numbers that the soname has.
pub(super) fn cmake_version() -> String {
    let mut same = String::new();
    for (name, number) in ["MAJOR", "MINOR"].iter().zip(library::abi_numbers()) {
        same += &format!(
            "if(PACKAGE_FIND_VERSION_COUNT GREATER {count} AND NOT PACKAGE_FIND_VERSION_{name} EQUAL {number})
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()
",
            count = usize::from(*name == "MINOR"),
        );
    }
    format!(
        "set(PACKAGE_VERSION \"{VERSION}\")
set(PACKAGE_VERSION_COMPATIBLE TRUE)
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()
{same}if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
endif()
"
    )
}

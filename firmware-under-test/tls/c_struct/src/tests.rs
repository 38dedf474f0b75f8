use super::*;

const SETTINGS: Struct = Struct { c: "settings", rust: "Settings", derives: "" };
const KEPT: Struct = Struct { c: "kept", rust: "Kept", derives: "Clone, Copy" };

#[test]
fn each_kind_of_field_has_its_type() {
    for (c, rust) in [
        ("int mode;", "mode: core::ffi::c_int"),
        ("uint16_t version_min;", "version_min: u16"),
        ("unsigned char code;", "code: u8"),
        ("unsigned state;", "state: core::ffi::c_uint"),
        ("size_t length;", "length: usize"),
        ("const int *suites;", "suites: *const core::ffi::c_int"),
        ("unsigned  char *into;", "into: *mut u8"),
        ("const char **alpn;", "alpn: *mut *const core::ffi::c_char"),
        ("const char *const *alpn;", "alpn: *const *const core::ffi::c_char"),
        ("unsigned char secret[48];", "secret: [u8; 48]"),
        ("const kept *kept;", "kept: *const Kept"),
        ("kept kept;", "kept: Kept"),
    ] {
        let header = format!("typedef struct {{ int is_there; }} kept;\ntypedef struct {{\n{c}\n}} settings;\n");
        let translated = translate(&header, &[SETTINGS, KEPT]).unwrap_or_else(|why| panic!("{c}: {why}"));
        let wanted = format!(
            "/// `settings`.\n#[repr(C)]\npub(crate) struct Settings {{\n    pub(crate) {rust},\n}}\n\
             /// `kept`.\n#[derive(Clone, Copy)]\n#[repr(C)]\npub(crate) struct Kept {{\n    \
             pub(crate) is_there: core::ffi::c_int,\n}}\n"
        );
        assert_eq!(translated, wanted, "{c}");
    }
}

#[test]
fn what_is_not_understood_stops_the_build_with_its_line() {
    for (field, line) in [
        ("\n    int a;\n    struct other b;\n", 3),
        ("\n    int a, b;\n", 2),
        ("\n    unsigned flag : 1;\n", 2),
        ("\n    int (*call)(void);\n", 2),
        ("\n    /* two\n       lines; */\n    long many;\n", 4),
        ("\n    int a[N];\n", 2),
        ("\n    int a[2][3];\n", 2),
        ("\n    int 9lives;\n", 2),
        ("\n    int a;\n    int b\n", 3),
        ("\n    int *volatile a;\n", 2),
        ("\n    ;\n", 2),
    ] {
        let why =
            translate(&format!("typedef struct {{{field}}} settings;"), &[SETTINGS]).expect_err(field).to_string();
        assert!(why.starts_with(&format!("{line}: ")), "{field}: {why}");
    }
    let why = translate("typedef struct { int a; } other;", &[SETTINGS]).expect_err("there is none");
    assert_eq!(why, HeaderError::NoSuchStruct("settings".into()));
}

#[test]
fn comments_are_no_fields() {
    let header = "typedef struct {\n  int a; /* int b; } settings; */\n  /* ** */ int c;\n} settings;";
    let rust = translate(header, &[SETTINGS]).expect("two fields");
    assert_eq!(rust.matches("pub(crate)").count(), 3, "{rust}");
    assert!(rust.contains(" c: "), "{rust}");
}

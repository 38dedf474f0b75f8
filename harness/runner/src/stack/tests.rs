use super::*;

static OTHER: Chip = Chip { name: "rv32tiny", ..chip::ESP32C3 };

/// An image for `chip`, as it is and as `product`.
fn stacks_of(image: &str, chip: &'static Chip, product: &str) -> Vec<Stack> {
    let firmware = Firmware::of(Path::new(image), "1".into(), chip, Vec::new());
    let text = format!("stack = \"a library\"\n[profiles.{product}]\ntitle = \"P\"\nmodels = \"M\"\n");
    Stack::all_of(firmware, Dialect::parse("dialect.toml", &text).unwrap_or_else(|error| panic!("{error}")))
}

fn two_chips() -> Vec<Stack> {
    // The order of files is not that of chips.
    let stacks = stacks_of("another", &OTHER, "gadget").into_iter().chain(stacks_of("one", &chip::ESP32C3, "gadget"));
    named(stacks.collect()).expect("different chips")
}

fn names(stacks: &[Stack]) -> Vec<&str> {
    stacks.iter().map(|stack| stack.name.as_str()).collect()
}

#[test]
fn a_product_keeps_its_name_on_the_first_chip_that_has_it() {
    assert_eq!(names(&two_chips()), ["another", "gadget@rv32tiny", "one", "gadget"]);
    assert_eq!(names(&named(stacks_of("one", &OTHER, "gadget")).expect("one chip")), ["one", "gadget"]);
    let twice = stacks_of("one", &OTHER, "gadget").into_iter().chain(stacks_of("two", &OTHER, "gadget")).collect();
    let why = named(twice).expect_err("which of the two?");
    assert!(why.message.starts_with("two stacks are called `gadget`, of the images two and one"), "{why}");
}

#[test]
fn stacks_are_those_of_the_board_and_go_by_product_there() {
    let pick = |wanted: &[&str], chip| {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        select(two_chips(), &wanted, chip).map(|stacks| stacks.into_iter().map(|stack| stack.name).collect::<Vec<_>>())
    };
    assert_eq!(pick(&[], &OTHER), Ok(vec!["another".into(), "gadget@rv32tiny".into()]));
    assert_eq!(pick(&[], &chip::ESP32C3), Ok(vec!["one".into(), "gadget".into()]));
    assert_eq!(pick(&["gadget"], &OTHER), Ok(vec!["gadget@rv32tiny".into()]));
    assert_eq!(pick(&["gadget@esp32c3"], &chip::ESP32C3), Ok(vec!["gadget".into()]));
    let refused = "the stack `one` is for the chip esp32c3, and this run is for rv32tiny: `--board esp32c3`, or another \
                   stack";
    assert_eq!(pick(&["one"], &OTHER), Err(Error::usage(refused)));
    assert_eq!(pick(&["two"], &OTHER), Err(Error::usage("there is no stack `two`; there is another, gadget@rv32tiny")));
}

//! Words for made-up data.

const AREAS: [(&str, &str); 8] = [
    ("Wood shop", "#woodshop"),
    ("Metal shop", "#metalshop"),
    ("Laser and print", "#lasers"),
    ("Electronics", "#electronics"),
    ("Textiles", "#textiles"),
    ("Ceramics", "#ceramics"),
    ("Bike corner", "#bikes"),
    ("Kitchen", ""),
];

const MACHINES: [[&str; 15]; 4] = [
    [
        "Table saw",
        "Band saw",
        "Jointer",
        "Thickness planer",
        "Drill press",
        "Mitre saw",
        "Router table",
        "Drum sander",
        "Wood lathe",
        "Scroll saw",
        "Dust collector",
        "Belt sander",
        "Domino joiner",
        "Panel clamp",
        "Spindle moulder",
    ],
    [
        "Milling machine",
        "Metal lathe",
        "TIG welder",
        "MIG welder",
        "Plasma cutter",
        "Cold saw",
        "Bench grinder",
        "Sheet shear",
        "Press brake",
        "Sandblaster",
        "Horizontal band saw",
        "Forge",
        "Anvil station",
        "Arbor press",
        "Tube bender",
    ],
    [
        "CO2 laser",
        "Fibre laser",
        "Resin printer",
        "Prusa left",
        "Prusa right",
        "Bambu one",
        "Bambu two",
        "Vinyl cutter",
        "Wide-format printer",
        "Heat press",
        "Laminator",
        "3D scanner",
        "Wash and cure",
        "Hot-wire cutter",
        "Vacuum former",
    ],
    [
        "Soldering bench one",
        "Soldering bench two",
        "Oscilloscope",
        "Reflow oven",
        "Pick and place",
        "Bench supply",
        "Logic analyser",
        "Hot-air station",
        "Microscope",
        "Function generator",
        "PCB mill",
        "Spectrum analyser",
        "Ultrasonic cleaner",
        "Component library",
        "Label printer",
    ],
];

const PROBLEMS: [&str; 12] = [
    "Makes a grinding noise when it starts",
    "Trips the breaker after a few minutes",
    "Belt slips under load",
    "Emergency stop does not latch",
    "Display stays dark",
    "Blade is dull and burns the edge",
    "Head no longer finds its home position",
    "Air assist is very weak",
    "Smells of hot plastic",
    "Fence will not stay square",
    "Coolant leaks onto the floor",
    "Foot switch only works now and then",
];

const NOTES: [&str; 5] = [
    "Cleaned and checked the obvious, still the same.",
    "Found the worn part, measured it for the order.",
    "Could not make it happen today; watching it.",
    "Tightened everything, better but not good.",
    "Borrowed a spare to be sure of the cause.",
];

const REPORTERS: [&str; 7] =
    ["Ana Lee", "Bo Okafor", "Cleo Marsh", "Dev Patel", "Edda Lund", "Finn Roy", "Gus Ibarra"];

/// Name and channel of the `i`th area.
pub(super) fn area(i: usize) -> (String, String) {
    AREAS.get(i).map_or_else(
        || (format!("Room {}", i + 1), format!("#room-{}", i + 1)),
        |(name, channel)| ((*name).to_owned(), (*channel).to_owned()),
    )
}

/// Name of the `n`th machine of an area.
pub(super) fn machine(area: usize, n: usize) -> String {
    let list = &MACHINES[area % MACHINES.len()];
    let (name, round) = (list[n % list.len()], n / list.len() + area / MACHINES.len() * 10);
    if round == 0 { name.to_owned() } else { format!("{name} {}", round + 1) }
}

/// What is wrong in the `i`th repair.
pub(super) const fn problem(i: usize) -> &'static str {
    PROBLEMS[i % PROBLEMS.len()]
}

/// What a technician wrote on it.
pub(super) const fn note(i: usize) -> &'static str {
    NOTES[i % NOTES.len()]
}

/// Who reported it.
pub(super) const fn reporter(i: usize) -> &'static str {
    REPORTERS[i % REPORTERS.len()]
}

//! Words for made-up data.

use super::faults::Kind;

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

const MACHINES: [[(&str, Kind); 15]; 4] = [
    [
        ("Table saw", Kind::SAW),
        ("Band saw", Kind::SAW),
        ("Jointer", Kind::CUTTER),
        ("Thickness planer", Kind::CUTTER),
        ("Drill press", Kind::TURNER),
        ("Mitre saw", Kind::SAW),
        ("Router table", Kind::CUTTER),
        ("Drum sander", Kind::TURNER),
        ("Wood lathe", Kind::TURNER),
        ("Scroll saw", Kind::SAW),
        ("Dust collector", Kind::CLEANER),
        ("Belt sander", Kind::TURNER),
        ("Domino joiner", Kind::CUTTER),
        ("Panel clamp", Kind::SIMPLE),
        ("Spindle moulder", Kind::CUTTER),
    ],
    [
        ("Milling machine", Kind::CUTTER),
        ("Metal lathe", Kind::TURNER),
        ("TIG welder", Kind::WELDER),
        ("MIG welder", Kind::WELDER),
        ("Plasma cutter", Kind::WELDER),
        ("Cold saw", Kind::SAW),
        ("Bench grinder", Kind::TURNER),
        ("Sheet shear", Kind::SIMPLE),
        ("Press brake", Kind::SIMPLE),
        ("Sandblaster", Kind::CLEANER),
        ("Horizontal band saw", Kind::SAW),
        ("Forge", Kind::HOT),
        ("Anvil station", Kind::SIMPLE),
        ("Arbor press", Kind::SIMPLE),
        ("Tube bender", Kind::SIMPLE),
    ],
    [
        ("CO2 laser", Kind::LASER),
        ("Fibre laser", Kind::LASER),
        ("Resin printer", Kind::DEVICE),
        ("Prusa left", Kind::PRINTER),
        ("Prusa right", Kind::PRINTER),
        ("Bambu one", Kind::PRINTER),
        ("Bambu two", Kind::PRINTER),
        ("Vinyl cutter", Kind::DEVICE),
        ("Wide-format printer", Kind::DEVICE),
        ("Heat press", Kind::HOT),
        ("Laminator", Kind::HOT),
        ("3D scanner", Kind::DEVICE),
        ("Wash and cure", Kind::CLEANER),
        ("Hot-wire cutter", Kind::HOT),
        ("Vacuum former", Kind::HOT),
    ],
    [
        ("Soldering bench one", Kind::HOT),
        ("Soldering bench two", Kind::HOT),
        ("Oscilloscope", Kind::DEVICE),
        ("Reflow oven", Kind::HOT),
        ("Pick and place", Kind::DEVICE),
        ("Bench supply", Kind::DEVICE),
        ("Logic analyser", Kind::DEVICE),
        ("Hot-air station", Kind::HOT),
        ("Microscope", Kind::DEVICE),
        ("Function generator", Kind::DEVICE),
        ("PCB mill", Kind::CUTTER),
        ("Spectrum analyser", Kind::DEVICE),
        ("Ultrasonic cleaner", Kind::CLEANER),
        ("Component library", Kind::SIMPLE),
        ("Label printer", Kind::DEVICE),
    ],
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

/// Name and kind of the `n`th machine of an area.
pub(super) fn equipment(area: usize, n: usize) -> (String, Kind) {
    let list = &MACHINES[area % MACHINES.len()];
    let ((name, kind), round) = (list[n % list.len()], n / list.len() + area / MACHINES.len() * 10);
    (if round == 0 { name.to_owned() } else { format!("{name} {}", round + 1) }, kind)
}

/// What a technician wrote on the `i`th repair.
pub(super) const fn note(i: usize) -> &'static str {
    NOTES[i % NOTES.len()]
}

pub(super) const fn reporter(i: usize) -> &'static str {
    REPORTERS[i % REPORTERS.len()]
}

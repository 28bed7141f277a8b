//! Faults of made-up machines: each fits its kind of machine, and its text shows its severity.

use crate::domain::repair::Severity;

/// The faults of a kind of machine: it works badly; it shows an odd sign; it is out of order; something is used up;
/// it is dangerous.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind([&'static str; 5]);

impl Kind {
    /// Cuts with a blade.
    pub(super) const SAW: Self = Self([
        "Cut is not square any more",
        "Makes a grinding noise when it starts",
        "Motor hums and does not start",
        "Blade is dull and burns the edge",
        "Blade guard does not close",
    ]);
    /// Takes material away with knives or cutters.
    pub(super) const CUTTER: Self = Self([
        "Depth stop will not hold",
        "Rattles at full speed",
        "Trips the breaker after a few minutes",
        "Cutter is blunt and leaves a ridge",
        "Runs on for half a minute after the stop button",
    ]);
    /// Turns by a belt.
    pub(super) const TURNER: Self = Self([
        "Speed changes by itself",
        "Bearing howls when it gets warm",
        "Does not start at all",
        "Belt is worn and slips under load",
        "Emergency stop does not latch",
    ]);
    /// Welds or cuts with an arc.
    pub(super) const WELDER: Self = Self([
        "Arc goes out again and again",
        "Hums much louder than last week",
        "No gas comes out of the torch",
        "Nozzle is burnt away",
        "Insulation of the torch cable is cracked",
    ]);
    /// Moved by hand.
    pub(super) const SIMPLE: Self = Self([
        "One foot is loose and it rocks",
        "Creaks under load",
        "A handle has broken off",
        "Oil and wipes beside it are used up",
        "A broken edge is as sharp as a knife",
    ]);
    /// Works by heat.
    pub(super) const HOT: Self = Self([
        "Takes an hour to get hot",
        "Smells of hot plastic",
        "Does not get hot at all",
        "Filter of the extraction is full",
        "Gets much hotter than it shows",
    ]);
    /// Cuts with light.
    pub(super) const LASER: Self = Self([
        "Air assist is very weak",
        "Cuts only half as deep as last week",
        "Head no longer finds its home position",
        "Lens is burnt",
        "Fires with the lid open",
    ]);
    /// Lays down molten plastic.
    pub(super) const PRINTER: Self = Self([
        "First layer does not stick",
        "Fan rattles",
        "Head no longer finds its home position",
        "Nozzle is clogged",
        "Smells of burnt cable",
    ]);
    /// Sucks, blasts or washes.
    pub(super) const CLEANER: Self = Self([
        "Hardly does anything any more",
        "Much louder than before",
        "Does not switch on",
        "Filter is full",
        "Lid stays open while it runs",
    ]);
    /// Measures, or does what a computer says.
    pub(super) const DEVICE: Self = Self([
        "The computer does not find it",
        "Switches itself off now and then",
        "Display stays dark",
        "Back-up battery is empty",
        "Mains plug is cracked",
    ]);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) text: &'static str,
    pub(super) severity: Severity,
    pub(super) safety_risk: bool,
    pub(super) consumable: bool,
}

/// The fault of the `i`th repair; every eleventh is dangerous. The others use another step than the areas of
/// `spread`, so that an area has faults of every sort.
pub(super) const fn fault(kind: Kind, i: usize) -> Fault {
    let place = if i % 11 == 5 { 4 } else { (i + i / 4) % 4 };
    let severity = match place {
        0 | 3 => Severity::Degraded,
        1 => Severity::NotSure,
        _ => Severity::Down,
    };
    Fault { text: kind.0[place], severity, safety_risk: place == 4, consumable: place == 3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_severity_and_marks_of_a_fault_agree() {
        for (i, text, severity, marks) in [
            (0, "Cut is not square any more", Severity::Degraded, (false, false)),
            (1, "Makes a grinding noise when it starts", Severity::NotSure, (false, false)),
            (2, "Motor hums and does not start", Severity::Down, (false, false)),
            (3, "Blade is dull and burns the edge", Severity::Degraded, (false, true)),
            (4, "Makes a grinding noise when it starts", Severity::NotSure, (false, false)),
            (5, "Blade guard does not close", Severity::Down, (true, false)),
            (16, "Blade guard does not close", Severity::Down, (true, false)),
        ] {
            let found = fault(Kind::SAW, i);
            assert_eq!((found.text, found.severity), (text, severity), "{i}");
            assert_eq!((found.safety_risk, found.consumable), marks, "{i}");
        }
        assert_eq!(fault(Kind::LASER, 3).text, "Lens is burnt");
    }
}

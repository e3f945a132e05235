//! Who drives, and which ride follows which order. Pure.
//!
//! The drivers are the same for every seed, as customers are. A ride has the id of the order that it follows: whoever
//! ordered goes to see what has come. Where it leads, who drives and how it ends, the order's place and the seed say.

use crate::demo::plan::Plan;

/// Someone who drives in this demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Driver {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) plate: &'static str,
    pub(crate) model: &'static str,
    pub(crate) seats: i32,
}

const fn driver(
    id: &'static str,
    name: &'static str,
    phone: &'static str,
    [plate, model]: [&'static str; 2],
    seats: i32,
) -> Driver {
    Driver { id, name, phone, plate, model, seats }
}

/// All drivers.
pub(crate) const FLEET: [Driver; 8] = [
    driver("driver-1", "Noor Haddad", "+49 30 5550101", ["B-NH 101", "saloon"], 4),
    driver("driver-2", "Ilse Brandt", "+49 30 5550102", ["B-IB 102", "estate"], 4),
    driver("driver-3", "Tomasz Wrona", "+49 30 5550103", ["B-TW 103", "van"], 6),
    driver("driver-4", "Amara Okafor", "+49 30 5550104", ["B-AO 104", "saloon"], 4),
    driver("driver-5", "Joon-ho Baek", "+49 30 5550105", ["B-JB 105", "hatchback"], 3),
    driver("driver-6", "Lucía Ferrer", "+49 30 5550106", ["B-LF 106", "saloon"], 4),
    driver("driver-7", "Mikko Salonen", "+49 30 5550107", ["B-MS 107", "minibus"], 8),
    driver("driver-8", "Priya Raman", "+49 30 5550108", ["B-PR 108", "estate"], 4),
];

/// A ride of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ride {
    pub(crate) id: String,
    pub(crate) rider_id: String,
    pub(crate) driver: Driver,
    /// Where the driver is when it is accepted.
    pub(crate) stand: Place,
    pub(crate) pickup: Place,
    pub(crate) destination: Place,
    pub(crate) end: End,
}

/// How a ride is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is finished, and the driver gets so many stars.
    Finished { stars: i32 },
    /// It is called off with a driver on the way.
    CancelledLate,
    /// It is called off before anybody takes it.
    CancelledAtOnce,
}

/// A place in the demo's town, in degrees times 10^7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) latitude_e7: i32,
    pub(crate) longitude_e7: i32,
}

/// One corner of the town, and how far it stretches from there.
const CORNER: Place = Place { latitude_e7: 523_800_000, longitude_e7: 131_000_000 };
const STRETCH: Place = Place { latitude_e7: 2_700_000, longitude_e7: 6_500_000 };

impl Plan {
    /// The ride that follows the order at that place, once it is shipped.
    pub(crate) fn ride(&self, place: usize) -> Option<Ride> {
        let order = self.orders.get(place)?;
        let somewhere = |salt| somewhere(self.seed, place, salt);
        Some(Ride {
            id: order.id.clone(),
            rider_id: order.customer_id.clone(),
            driver: FLEET[self.driver(place)],
            stand: somewhere(1),
            pickup: somewhere(2),
            destination: somewhere(3),
            end: end(self.seed, place),
        })
    }

    /// Who of the fleet drives after the order at that place.
    pub(crate) fn driver(&self, place: usize) -> usize {
        place % FLEET.len()
    }
}

fn end(seed: u64, place: usize) -> End {
    match chance(seed, place, 5) % 10 {
        0 => End::CancelledAtOnce,
        1 => End::CancelledLate,
        luck => End::Finished { stars: if luck < 5 { 4 } else { 5 } },
    }
}

fn somewhere(seed: u64, place: usize, salt: u64) -> Place {
    let along = |corner: i32, stretch: i32, chance: u64| {
        corner + i32::try_from(chance % u64::from(stretch.unsigned_abs())).unwrap_or(0)
    };
    let chance = chance(seed, place, salt);
    Place {
        latitude_e7: along(CORNER.latitude_e7, STRETCH.latitude_e7, chance),
        longitude_e7: along(CORNER.longitude_e7, STRETCH.longitude_e7, chance >> 32),
    }
}

/// The same for ever for the same arguments, and otherwise any number (SplitMix64 of Steele, Lea and Flood, 2014).
fn chance(seed: u64, place: usize, salt: u64) -> u64 {
    let mut bits = seed ^ (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (salt << 56);
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::northwind::{EMBEDDED, read};

    fn plan(seed: u64) -> Plan {
        Plan::new(&read(&EMBEDDED).unwrap(), seed, 830)
    }

    fn rides(plan: &Plan) -> Vec<Ride> {
        (0..plan.orders.len()).filter_map(|place| plan.ride(place)).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_rides_and_another_one_its_own() {
        assert_eq!(rides(&plan(7)), rides(&plan(7)));
        assert_ne!(rides(&plan(7))[0].pickup, rides(&plan(8))[0].pickup);
        assert_eq!((plan(1).ride(0).unwrap().id.as_str(), plan(1).ride(830)), ("s1-10248", None));
    }

    #[test]
    fn every_driver_drives_and_every_end_occurs() {
        let rides = rides(&plan(1));
        let drivers: BTreeSet<&str> = rides.iter().map(|ride| ride.driver.id).collect();
        assert_eq!(drivers.len(), FLEET.len());
        let ended = |end: &dyn Fn(&End) -> bool| rides.iter().filter(|ride| end(&ride.end)).count();
        let cancelled =
            [ended(&|end| *end == End::CancelledLate), ended(&|end| *end == End::CancelledAtOnce)];
        assert!(cancelled.iter().all(|count| (40..130).contains(count)), "{cancelled:?} of 830");
    }

    #[test]
    fn every_place_is_in_town() {
        for ride in rides(&plan(3)) {
            for place in [ride.stand, ride.pickup, ride.destination] {
                assert!((523_800_000..526_500_000).contains(&place.latitude_e7), "{place:?}");
                assert!((131_000_000..137_500_000).contains(&place.longitude_e7), "{place:?}");
            }
        }
    }
}

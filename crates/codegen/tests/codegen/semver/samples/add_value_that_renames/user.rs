//! An enum gets a value that takes the short name of another.

mod matches {
    use freehold_sdk::add_value_that_renames::v1::State;

    pub fn run(state: State) -> bool {
        match state {
            State::Unspecified => true,
            _ => false,
        }
    }
}

mod matches_its_twin {
    use freehold_sdk::add_value_that_renames::v1::State;

    pub fn run(state: State) -> bool {
        match state {
            State::Open => true,
            _ => false,
        }
    }
}

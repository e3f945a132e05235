//! An enum gets a value.

mod matches {
    use freehold_sdk::add_value::v1::State;

    pub fn run(state: State) -> bool {
        match state {
            State::Open => true,
            _ => false,
        }
    }
}

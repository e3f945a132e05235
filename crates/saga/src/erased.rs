//! Steps and ends without their types: what the executor runs, whatever state a saga carries.
//!
//! A saga's state is bytes here. It is decoded for each attempt, and what a step changed in it comes back encoded.

use std::marker::PhantomData;

use freehold_store::Work;
use freehold_wire::prost::Message;
use futures_util::future::{BoxFuture, FutureExt, LocalBoxFuture};

use crate::definition::EndError;
use crate::failure::Failure;
use crate::step::{Limits, Step, StepContext, StepError, Way};

/// A step over the encoded state.
pub(crate) trait AnyStep: Send + Sync {
    fn name(&self) -> &'static str;
    fn limits(&self) -> Limits;

    /// Does or undoes it; answers the state where it may have changed.
    fn call<'a>(
        &'a self,
        way: Way,
        step: &'a StepContext,
        data: &'a [u8],
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StepError>>;
}

impl<T: Step<State: Message + Default>> AnyStep for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn limits(&self) -> Limits {
        Step::limits(self)
    }

    fn call<'a>(
        &'a self,
        way: Way,
        step: &'a StepContext,
        data: &'a [u8],
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StepError>> {
        let calling = async move {
            let mut state: T::State = decode(data).map_err(StepError::Refused)?;
            match way {
                Way::Act => {
                    self.act(step, &mut state).await?;
                    Ok(Some(state.encode_to_vec()))
                }
                Way::Undo => self.undo(step, &state).await.map(|()| None),
            }
        };
        calling.boxed()
    }
}

/// What is written at an end, over the encoded state.
pub(crate) trait AnyEnd: Send + Sync {
    fn write<'a>(
        &'a self,
        work: &'a mut Work,
        data: &'a [u8],
        why: &'a Failure,
    ) -> LocalBoxFuture<'a, Result<(), EndError>>;
}

/// Written when all steps are done.
pub(crate) struct OnDone<S, H>(pub(crate) H, pub(crate) PhantomData<fn(S)>);

/// Written when all that was begun has been undone.
pub(crate) struct OnCompensated<S, H>(pub(crate) H, pub(crate) PhantomData<fn(S)>);

impl<S, H> AnyEnd for OnDone<S, H>
where
    S: Message + Default,
    H: AsyncFn(&mut Work, &S) -> Result<(), EndError> + Send + Sync,
{
    fn write<'a>(
        &'a self,
        work: &'a mut Work,
        data: &'a [u8],
        _: &'a Failure,
    ) -> LocalBoxFuture<'a, Result<(), EndError>> {
        let writing = async move {
            let state: S = decode(data).map_err(EndError::Refused)?;
            (self.0)(work, &state).await
        };
        writing.boxed_local()
    }
}

impl<S, H> AnyEnd for OnCompensated<S, H>
where
    S: Message + Default,
    H: AsyncFn(&mut Work, &S, &Failure) -> Result<(), EndError> + Send + Sync,
{
    fn write<'a>(
        &'a self,
        work: &'a mut Work,
        data: &'a [u8],
        why: &'a Failure,
    ) -> LocalBoxFuture<'a, Result<(), EndError>> {
        let writing = async move {
            let state: S = decode(data).map_err(EndError::Refused)?;
            (self.0)(work, &state, why).await
        };
        writing.boxed_local()
    }
}

fn decode<S: Message + Default>(data: &[u8]) -> Result<S, Failure> {
    let unreadable = |error| Failure::new("SAGA_STATE", format!("the saga's state cannot be read: {error}"));
    S::decode(data).map_err(unreadable)
}

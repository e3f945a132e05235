//! A definition with its types erased: what the executor runs, whatever state a saga carries.
//!
//! A saga's state is bytes here. It is decoded for each attempt, and what a step changed in it comes back encoded.

use freehold_store::Work;
use freehold_wire::prost::{DecodeError, Message};
use futures_util::future::{BoxFuture, FutureExt, LocalBoxFuture};

use crate::definition::{EndError, Saga};
use crate::failure::Failure;
use crate::progress::End;
use crate::step::{Limits, Step, StepContext, StepError};

/// A step of state `S`, of any type.
pub(crate) trait ErasedStep<S>: Send + Sync {
    fn name(&self) -> &'static str;
    fn limits(&self) -> Limits;
    fn act<'a>(&'a self, step: &'a StepContext, state: &'a mut S) -> BoxFuture<'a, Result<(), StepError>>;
    fn undo<'a>(&'a self, step: &'a StepContext, state: &'a S) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<T: Step<State: Send + Sync>> ErasedStep<T::State> for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn limits(&self) -> Limits {
        Step::limits(self)
    }

    fn act<'a>(
        &'a self,
        step: &'a StepContext,
        state: &'a mut T::State,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        Step::act(self, step, state).boxed()
    }

    fn undo<'a>(
        &'a self,
        step: &'a StepContext,
        state: &'a T::State,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        Step::undo(self, step, state).boxed()
    }
}

/// What is written when all steps are done.
pub(crate) trait DoneHook<S>: Send + Sync {
    fn call<'a>(&'a self, work: &'a mut Work, state: &'a S) -> LocalBoxFuture<'a, Result<(), EndError>>;
}

impl<S, H> DoneHook<S> for H
where
    H: AsyncFn(&mut Work, &S) -> Result<(), EndError> + Send + Sync,
{
    fn call<'a>(&'a self, work: &'a mut Work, state: &'a S) -> LocalBoxFuture<'a, Result<(), EndError>> {
        Box::pin(self(work, state))
    }
}

/// What is written when all that was begun has been undone.
pub(crate) trait CompensatedHook<S>: Send + Sync {
    fn call<'a>(
        &'a self,
        work: &'a mut Work,
        state: &'a S,
        why: &'a Failure,
    ) -> LocalBoxFuture<'a, Result<(), EndError>>;
}

impl<S, H> CompensatedHook<S> for H
where
    H: AsyncFn(&mut Work, &S, &Failure) -> Result<(), EndError> + Send + Sync,
{
    fn call<'a>(
        &'a self,
        work: &'a mut Work,
        state: &'a S,
        why: &'a Failure,
    ) -> LocalBoxFuture<'a, Result<(), EndError>> {
        Box::pin(self(work, state, why))
    }
}

/// A definition, of any state.
pub(crate) trait Script: Send + Sync {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    fn step_name(&self, step: usize) -> Option<&'static str>;
    fn limits(&self) -> Vec<Limits>;

    /// Tries a step over the encoded state; answers the state as the step left it.
    fn act<'a>(
        &'a self,
        index: usize,
        step: &'a StepContext,
        data: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, StepError>>;

    /// Undoes a step.
    fn undo<'a>(
        &'a self,
        index: usize,
        step: &'a StepContext,
        data: &'a [u8],
    ) -> BoxFuture<'a, Result<(), StepError>>;

    /// Writes what the end means to the owner.
    fn end<'a>(
        &'a self,
        work: &'a mut Work,
        end: End,
        data: &'a [u8],
        why: &'a Failure,
    ) -> LocalBoxFuture<'a, Result<(), EndError>>;
}

impl<S: Message + Default + Clone + 'static> Script for Saga<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn step_name(&self, step: usize) -> Option<&'static str> {
        self.steps.get(step).map(|step| step.name())
    }

    fn limits(&self) -> Vec<Limits> {
        self.steps.iter().map(|step| step.limits()).collect()
    }

    fn act<'a>(
        &'a self,
        index: usize,
        step: &'a StepContext,
        data: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, StepError>> {
        let acting = async move {
            let mut state = S::decode(data).map_err(|error| StepError::Refused(unreadable(&error)))?;
            let erased = self.steps.get(index).ok_or_else(|| StepError::Refused(missing(index)))?;
            erased.act(step, &mut state).await?;
            Ok(state.encode_to_vec())
        };
        acting.boxed()
    }

    fn undo<'a>(
        &'a self,
        index: usize,
        step: &'a StepContext,
        data: &'a [u8],
    ) -> BoxFuture<'a, Result<(), StepError>> {
        let undoing = async move {
            let state = S::decode(data).map_err(|error| StepError::Refused(unreadable(&error)))?;
            let erased = self.steps.get(index).ok_or_else(|| StepError::Refused(missing(index)))?;
            erased.undo(step, &state).await
        };
        undoing.boxed()
    }

    fn end<'a>(
        &'a self,
        work: &'a mut Work,
        end: End,
        data: &'a [u8],
        why: &'a Failure,
    ) -> LocalBoxFuture<'a, Result<(), EndError>> {
        let ending = async move {
            let state = S::decode(data).map_err(|error| EndError::Refused(unreadable(&error)))?;
            match (end, &self.done, &self.compensated) {
                (End::Done, Some(hook), _) => hook.call(work, &state).await,
                (End::Compensated, _, Some(hook)) => hook.call(work, &state, why).await,
                _ => Ok(()),
            }
        };
        ending.boxed_local()
    }
}

fn unreadable(error: &DecodeError) -> Failure {
    Failure::new("SAGA_STATE", format!("the saga's state cannot be read: {error}"))
}

fn missing(index: usize) -> Failure {
    Failure::new("SAGA_STEP", format!("the saga's definition has no step {index}"))
}

/// Defines an interface that keeps a [`FakeBehaviour`](super::FakeBehaviour).
macro_rules! fake_interface {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            behaviour: $crate::driver::fake::FakeBehaviour,
        }

        impl $name {
            /// An interface that does what `behaviour` says.
            pub fn new(behaviour: &$crate::driver::fake::FakeBehaviour) -> Self {
                Self {
                    behaviour: behaviour.clone(),
                }
            }
        }
    };
}

/// Defines such an interface that has neither properties nor steps; `$validate` is the
/// operation of checking the node.
macro_rules! plain_fake_interface {
    ($(#[$doc:meta])* $name:ident, $validate:ident) => {
        fake_interface! { $(#[$doc])* $name }

        #[async_trait::async_trait]
        impl $crate::driver::Interface for $name {
            async fn validate(
                &self,
                task: &$crate::driver::SharedTask,
            ) -> Result<(), $crate::Error> {
                let operation = $crate::driver::fake::FakeOperation::$validate;
                self.behaviour.at_once(task, operation).await
            }
        }
    };
}

/// Defines such an interface that has steps: those that its `offered` names, carried out by its
/// `carry_out`. `$keys` and `$foresee`, if given, are its properties and its forecasts.
macro_rules! stepped_fake_interface {
    ($(#[$doc:meta])* $name:ident, $validate:ident $(, $keys:path, $foresee:path)?) => {
        fake_interface! { $(#[$doc])* $name }

        #[async_trait::async_trait]
        impl $crate::driver::Interface for $name {
            $(
                fn properties(&self) -> $crate::driver::Properties {
                    $keys()
                }

                fn forecast(
                    &self,
                    outlook: &$crate::flow::Outlook<'_>,
                ) -> $crate::flow::Forecast {
                    $foresee(outlook)
                }
            )?

            async fn validate(
                &self,
                task: &$crate::driver::SharedTask,
            ) -> Result<(), $crate::Error> {
                let operation = $crate::driver::fake::FakeOperation::$validate;
                self.behaviour.at_once(task, operation).await
            }

            fn steps(
                &self,
                _node: &$crate::model::Node,
                flow: $crate::states::FlowKind,
            ) -> Vec<$crate::steps::StepDef> {
                Self::offered(flow)
            }

            async fn execute_step(
                &self,
                task: &mut $crate::driver::Task,
                flow: $crate::states::FlowKind,
                step: &$crate::steps::Step,
            ) -> Result<$crate::flow::Progress, $crate::Error> {
                let offered = Self::offered(flow);
                let operation = $crate::driver::fake::steps::operation(&offered, flow, step)?;
                self.carry_out(task, operation, step).await
            }

            async fn step_progress(
                &self,
                task: &$crate::driver::SharedTask,
                flow: $crate::states::FlowKind,
                step: &$crate::steps::Step,
            ) -> Result<$crate::flow::StepProgress, $crate::Error> {
                let offered = Self::offered(flow);
                let operation = $crate::driver::fake::steps::operation(&offered, flow, step)?;
                Ok(self.behaviour.step_progress(task, operation))
            }
        }
    };
}

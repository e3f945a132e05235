//! Between what is on the wire and what is in here.

use freehold_sdk::widgets::v1 as pb;
use freehold_wire::Entity;

use crate::widget::Widget;

/// It as the contract describes it, private fields included.
pub(crate) fn entity(widget: &Widget) -> pb::Widget {
    pb::Widget::default().with_id(widget.id.as_str()).with_name(widget.name.as_str())
}

/// It as others may see it.
pub(crate) fn reply(widget: &Widget) -> pb::Widget {
    entity(widget).shared()
}

/// A new one. The generated server has checked the limits of the contract.
pub(crate) fn created(request: pb::CreateWidgetRequest) -> Widget {
    Widget { id: request.id, name: request.name }
}

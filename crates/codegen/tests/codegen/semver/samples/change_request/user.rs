//! A method takes another request.

mod calls {
    use freehold_sdk::Error;
    use freehold_sdk::change_request::v1::{GetRequest, Product, ShopClient};

    pub async fn run(shop: &ShopClient) -> Result<Product, Error> {
        shop.get(GetRequest::default()).await
    }
}

mod mocks {
    use freehold_sdk::change_request::v1::{GetRequest, Product, ShopStub};
    use freehold_sdk::{CallOptions, Error, async_trait};

    pub struct Mock;

    #[async_trait]
    impl ShopStub for Mock {
        async fn get(&self, _: GetRequest, _: &CallOptions) -> Result<Product, Error> {
            Ok(Product::default())
        }
    }
}

mod serves {
    use freehold_sdk::change_request::v1::{GetRequest, Product, ShopService};
    use freehold_sdk::wire::tonic::Status;
    use freehold_sdk::{Context, async_trait};

    pub struct Server;

    #[async_trait]
    impl ShopService for Server {
        async fn get(&self, _: Context, _: GetRequest) -> Result<Product, Status> {
            Ok(Product::default())
        }
    }
}

mod builds_the_request {
    use freehold_sdk::change_request::v1::GetRequest;

    pub fn run() -> GetRequest {
        GetRequest::default().with_id("1")
    }
}

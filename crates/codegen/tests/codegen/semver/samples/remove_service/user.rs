//! A package loses one of its services.

mod calls {
    use freehold_sdk::Error;
    use freehold_sdk::remove_service::v1::{GetRequest, Product, ShopClient};

    pub async fn run(shop: &ShopClient) -> Result<Product, Error> {
        shop.get(GetRequest::default()).await
    }
}

mod calls_what_goes {
    use freehold_sdk::Error;
    use freehold_sdk::remove_service::v1::{ClockClient, ListRequest, Product};

    pub async fn run(clock: &ClockClient) -> Result<Product, Error> {
        clock.ring(ListRequest::default()).await
    }
}

mod mocks_what_goes {
    use freehold_sdk::remove_service::v1::ClockStub;

    pub struct Mock;

    impl ClockStub for Mock {}
}

mod serves_by_what_goes {
    use freehold_sdk::remove_service::v1::ClockServiceServer;

    pub fn run<T>(server: &ClockServiceServer<T>) -> ClockServiceServer<T> {
        server.clone()
    }
}

//! A service loses a method.

mod calls {
    use freehold_sdk::Error;
    use freehold_sdk::remove_rpc::v1::{GetRequest, Product, ShopClient};

    pub async fn run(shop: &ShopClient) -> Result<Product, Error> {
        shop.get(GetRequest::default()).await
    }
}

mod calls_what_goes {
    use freehold_sdk::Error;
    use freehold_sdk::remove_rpc::v1::{ListRequest, Product, ShopClient};

    pub async fn run(shop: &ShopClient) -> Result<Product, Error> {
        shop.list(ListRequest::default()).await
    }
}

mod mocks {
    use freehold_sdk::remove_rpc::v1::{GetRequest, Product, ShopStub};
    use freehold_sdk::{CallOptions, Error, async_trait};

    pub struct Mock;

    #[async_trait]
    impl ShopStub for Mock {
        async fn get(&self, _: GetRequest, _: &CallOptions) -> Result<Product, Error> {
            Ok(Product::default())
        }
    }
}

mod mocks_what_goes {
    use freehold_sdk::remove_rpc::v1::{ListRequest, Product, ShopStub};
    use freehold_sdk::{CallOptions, Error, async_trait};

    pub struct Mock;

    #[async_trait]
    impl ShopStub for Mock {
        async fn list(&self, _: ListRequest, _: &CallOptions) -> Result<Product, Error> {
            Ok(Product::default())
        }
    }
}

mod serves {
    use freehold_sdk::remove_rpc::v1::{GetRequest, ListRequest, Product, ShopService};
    use freehold_sdk::wire::tonic::Status;
    use freehold_sdk::{Context, async_trait};

    pub struct Server;

    #[async_trait]
    impl ShopService for Server {
        async fn get(&self, _: Context, _: GetRequest) -> Result<Product, Status> {
            Ok(Product::default())
        }

        async fn list(&self, _: Context, _: ListRequest) -> Result<Product, Status> {
            Ok(Product::default())
        }
    }
}

mod names_its_rules {
    use freehold_sdk::remove_rpc::v1::methods::shop::LIST;

    pub fn run() -> &'static str {
        LIST.rules().path
    }
}

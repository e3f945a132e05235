//! Northwind as the demo reads it: customers, products, orders and their lines out of the CSV files in `data/northwind`.
//!
//! A damaged file is an error that names the file and the line. Money is in cents, a discount in basis points.

use std::collections::BTreeMap;
use std::str::FromStr;

/// The files, by the names that errors give them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files<'a> {
    pub(crate) categories: &'a str,
    pub(crate) customers: &'a str,
    pub(crate) products: &'a str,
    pub(crate) orders: &'a str,
    pub(crate) lines: &'a str,
}

/// The files that the command carries.
pub(crate) const EMBEDDED: Files<'static> = Files {
    categories: include_str!("../../data/northwind/categories.csv"),
    customers: include_str!("../../data/northwind/customers.csv"),
    products: include_str!("../../data/northwind/products.csv"),
    orders: include_str!("../../data/northwind/orders.csv"),
    lines: include_str!("../../data/northwind/order_lines.csv"),
};

/// All of it, in the files' order.
#[derive(Debug, Clone)]
pub(crate) struct Northwind {
    pub(crate) customers: Vec<Customer>,
    pub(crate) products: Vec<Product>,
    pub(crate) orders: Vec<Order>,
}

/// Someone who ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) company: String,
    pub(crate) address: String,
    pub(crate) city: String,
    pub(crate) postal_code: String,
    pub(crate) country: String,
}

/// Something that was sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) price_cents: i64,
    /// In stock and on order together.
    pub(crate) units: i64,
    pub(crate) discontinued: bool,
}

/// An order with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) lines: Vec<Line>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product_id: String,
    pub(crate) unit_cents: i64,
    pub(crate) units: i64,
    pub(crate) discount_basis_points: i32,
}

impl Line {
    /// What the line costs, in cents, rounded half up.
    pub(crate) fn cents(&self) -> i64 {
        (self.units * self.unit_cents * i64::from(10_000 - self.discount_basis_points) + 5_000) / 10_000
    }
}

/// A file is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub(crate) struct DataError {
    file: &'static str,
    line: u64,
    problem: String,
}

/// Reads the files.
pub(crate) fn read(files: &Files<'_>) -> Result<Northwind, DataError> {
    let categories = categories(files.categories)?;
    let mut orders = orders(files.orders)?;
    add_lines(files.lines, &mut orders)?;
    Ok(Northwind {
        customers: customers(files.customers)?,
        products: products(files.products, &categories)?,
        orders,
    })
}

fn categories(text: &str) -> Result<BTreeMap<String, String>, DataError> {
    rows("categories.csv", text, |row| Ok((row.text("category_id")?, row.text("name")?)))
        .map(|rows| rows.into_iter().collect())
}

fn customers(text: &str) -> Result<Vec<Customer>, DataError> {
    rows("customers.csv", text, |row| {
        Ok(Customer {
            id: row.text("customer_id")?,
            company: row.text("company")?,
            address: row.text("address")?,
            city: row.text("city")?,
            postal_code: row.field("postal_code")?.to_owned(),
            country: row.text("country")?,
        })
    })
}

fn products(text: &str, categories: &BTreeMap<String, String>) -> Result<Vec<Product>, DataError> {
    rows("products.csv", text, |row| {
        let category = row.text("category_id")?;
        let unknown = || row.wrong(format!("no category has the id `{category}`"));
        Ok(Product {
            id: row.text("product_id")?,
            name: row.text("name")?,
            category: categories.get(&category).ok_or_else(unknown)?.clone(),
            price_cents: row.number("unit_price_cents")?,
            units: row.number::<i64>("units_in_stock")? + row.number::<i64>("units_on_order")?,
            discontinued: row.number::<u8>("discontinued")? == 1,
        })
    })
}

fn orders(text: &str) -> Result<Vec<Order>, DataError> {
    rows("orders.csv", text, |row| {
        Ok(Order { id: row.text("order_id")?, customer_id: row.text("customer_id")?, lines: Vec::new() })
    })
}

fn add_lines(text: &str, orders: &mut [Order]) -> Result<(), DataError> {
    let places: BTreeMap<String, usize> = orders.iter().map(|order| order.id.clone()).zip(0..).collect();
    let lines = rows("order_lines.csv", text, |row| {
        let order = row.text("order_id")?;
        let unknown = || row.wrong(format!("no order has the id `{order}`"));
        let place = *places.get(&order).ok_or_else(unknown)?;
        let line = Line {
            product_id: row.text("product_id")?,
            unit_cents: row.number("unit_price_cents")?,
            units: row.number("quantity")?,
            discount_basis_points: basis_points(row)?,
        };
        Ok((place, line))
    })?;
    for (place, line) in lines {
        orders[place].lines.push(line);
    }
    Ok(())
}

/// A fraction with at most four digits, "0.15", in hundredths of a percent.
fn basis_points(row: &Row<'_>) -> Result<i32, DataError> {
    let text = row.field("discount")?;
    let wrong = || {
        row.wrong(format!("`{text}` is no discount: it wants a fraction from 0 to 1 with at most 4 digits"))
    };
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || digits.len() > 4 || !is_digits(whole) || !is_digits(digits) {
        return Err(wrong());
    }
    let points = format!("{whole}{digits:0<4}").parse().map_err(|_| wrong())?;
    if (0..=10_000).contains(&points) { Ok(points) } else { Err(wrong()) }
}

/// A row and where it stands.
struct Row<'a> {
    file: &'static str,
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
}

fn rows<T>(
    file: &'static str,
    text: &str,
    read: impl Fn(&Row<'_>) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let damaged = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        DataError { file, line, problem: error.to_string() }
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(damaged)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        rows.push(read(&Row { file, header: &header, record: &record })?);
    }
    Ok(rows)
}

impl Row<'_> {
    fn field(&self, column: &str) -> Result<&str, DataError> {
        let place = self.header.iter().position(|name| name == column);
        let value = place.and_then(|place| self.record.get(place));
        value.ok_or_else(|| self.wrong(format!("there is no column `{column}`")))
    }

    fn text(&self, column: &str) -> Result<String, DataError> {
        let value = self.field(column)?;
        if value.is_empty() { Err(self.wrong(format!("`{column}` is empty"))) } else { Ok(value.to_owned()) }
    }

    fn number<N: FromStr>(&self, column: &str) -> Result<N, DataError> {
        let value = self.field(column)?;
        value.parse().map_err(|_| self.wrong(format!("`{column}` is no number: `{value}`")))
    }

    fn wrong(&self, problem: String) -> DataError {
        let line = self.record.position().map_or(0, csv::Position::line);
        DataError { file: self.file, line, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn northwind_is_as_large_as_it_is_known_to_be() {
        let northwind = read(&EMBEDDED).unwrap();
        assert_eq!(
            (northwind.customers.len(), northwind.products.len(), northwind.orders.len()),
            (91, 77, 830)
        );
        assert_eq!(northwind.orders.iter().map(|order| order.lines.len()).sum::<usize>(), 2155);
        assert_eq!(northwind.products.iter().map(|product| product.units).sum::<i64>(), 3899);
        assert_eq!(northwind.products.iter().filter(|product| product.discontinued).count(), 8);
        let asked: i64 = northwind.orders.iter().flat_map(|order| &order.lines).map(|line| line.units).sum();
        assert_eq!(asked, 51_317);
    }

    #[test]
    fn an_order_has_its_lines() {
        let northwind = read(&EMBEDDED).unwrap();
        let order = &northwind.orders[0];
        assert_eq!((order.id.as_str(), order.lines.len()), ("10248", 3));
        assert_eq!(order.lines.iter().map(Line::cents).sum::<i64>(), 44_000);
    }

    fn damaged(change: impl FnOnce(&mut Files<'_>)) -> String {
        let mut files = EMBEDDED;
        change(&mut files);
        read(&files).unwrap_err().to_string()
    }

    #[test]
    fn a_damaged_file_is_named_with_its_line() {
        let short =
            damaged(|files| files.customers = "customer_id,company,address,city,postal_code,country\nA,B\n");
        assert!(short.starts_with("customers.csv:2: "), "{short}");
        let number = damaged(|files| {
            files.lines = "order_id,product_id,unit_price_cents,quantity,discount\n10248,11,1400,12,0\n10248,42,x,1,0\n";
        });
        assert_eq!(number, "order_lines.csv:3: `unit_price_cents` is no number: `x`");
        let unknown = damaged(|files| {
            files.lines = "order_id,product_id,unit_price_cents,quantity,discount\n1,11,1400,12,0\n";
        });
        assert_eq!(unknown, "order_lines.csv:2: no order has the id `1`");
        let column = damaged(|files| files.orders = "order_id\n10248\n");
        assert_eq!(column, "orders.csv:2: there is no column `customer_id`");
    }

    #[test]
    fn a_discount_is_read_to_the_hundredth_of_a_percent() {
        let line = |discount: &str| {
            let text =
                format!("order_id,product_id,unit_price_cents,quantity,discount\n10248,11,1,1,{discount}\n");
            let files = Files { lines: &text, ..EMBEDDED };
            read(&files).map(|northwind| northwind.orders[0].lines[0].discount_basis_points)
        };
        assert_eq!(line("0.15"), Ok(1500));
        assert_eq!(line("0"), Ok(0));
        assert_eq!(line("1.0"), Ok(10_000));
        for wrong in ["0.12345", "1.5", "-0.1", "0,1", "", "1e-1"] {
            assert!(line(wrong).is_err(), "{wrong}");
        }
    }
}

"""Customers and their last tickets."""

from typing import Annotated

from fastapi import APIRouter, Query

from deskwire_query.api.parameters import CustomerListQuery, CustomersReader, IdInPath, OwnWrite
from deskwire_query.api.state import PartsOfDesk
from deskwire_query.reading.read_models import CustomerRow, CustomerView, Page

router = APIRouter(prefix="/customers", tags=["customers"])


@router.get("", summary="List customers")
async def list_customers(
    asked: Annotated[CustomerListQuery, Query()], _principal: CustomersReader, parts: PartsOfDesk
) -> Page[CustomerRow]:
    """List customers by a part of their name or address, the ones seen last first."""
    return await parts.reader.customers(asked.q, after=asked.cursor, limit=asked.limit)


@router.get("/{customer}", summary="Read a customer")
async def read_customer(
    customer: IdInPath, _principal: CustomersReader, parts: PartsOfDesk, _own_write: OwnWrite
) -> CustomerView:
    """Read a customer with their last tickets."""
    return await parts.reader.customer(customer)

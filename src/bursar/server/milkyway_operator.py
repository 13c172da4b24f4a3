"""The back office's endpoints and what serves each; the type checker compares every pair of signatures."""

from __future__ import annotations

from bursar.contract.binding import Route, route
from bursar.engine.milkyway.operator import OperatorService
from bursar.milkyway.operator import MilkywayOperator


def operator_routes(service: OperatorService) -> list[Route]:
    """Return all routes of the back office."""
    return [
        route(MilkywayOperator.put_institution, service.put_institution),
        route(MilkywayOperator.list_institutions, service.list_institutions),
        route(MilkywayOperator.put_service, service.put_service),
        route(MilkywayOperator.list_services, service.list_services),
        route(MilkywayOperator.put_rate, service.put_rate),
        route(MilkywayOperator.list_rates, service.list_rates),
        route(MilkywayOperator.put_commission, service.put_commission),
        route(MilkywayOperator.list_commissions, service.list_commissions),
        route(MilkywayOperator.put_limit, service.put_limit),
        route(MilkywayOperator.list_exposures, service.list_exposures),
        route(MilkywayOperator.put_simulator_rules, service.put_simulator_rules),
        route(MilkywayOperator.list_simulator_rules, service.list_simulator_rules),
        route(MilkywayOperator.deposit, service.deposit),
        route(MilkywayOperator.settle, service.settle),
        route(MilkywayOperator.draw_deposit, service.draw_deposit),
        route(MilkywayOperator.write_off, service.write_off),
        route(MilkywayOperator.settle_bank, service.settle_bank),
        route(MilkywayOperator.charge_fee, service.charge_fee),
        route(MilkywayOperator.cover_fx, service.cover_fx),
        route(MilkywayOperator.revalue, service.revalue),
        route(MilkywayOperator.list_movements, service.list_movements),
        route(MilkywayOperator.list_payments, service.list_payments),
        route(MilkywayOperator.get_payment, service.get_payment),
        route(MilkywayOperator.report_outcome, service.report_outcome),
        route(MilkywayOperator.resolve, service.resolve),
        route(MilkywayOperator.return_payment, service.return_payment),
        route(MilkywayOperator.list_audit, service.list_audit),
        route(MilkywayOperator.trial_balance, service.trial_balance),
    ]

use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::delete_acls_response::DeleteAclsMatchingAcl;
use kafka_protocol::messages::describe_acls_response::DescribeAclsResource;
use kafka_protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{known, missing, wire};
use crate::admin::failure::Repeat;
use crate::admin::operation::Route;
use crate::error::Result;
use crate::model::{Acl, AclFilter, AclOperation, PatternType, Permission, ResourceType};

impl Admin {
    /// Returns the ACLs that pass the filter, sorted.
    pub async fn describe_acls(&self, filter: &AclFilter) -> Result<Vec<Acl>> {
        let request = |_| {
            DescribeAclsRequest::default()
                .with_resource_type_filter(filter.resource_type as i8)
                .with_resource_name_filter(filter.resource_name.as_deref().map(wire))
                .with_pattern_type_filter(filter.pattern_type as i8)
                .with_principal_filter(filter.principal.as_deref().map(wire))
                .with_host_filter(filter.host.as_deref().map(wire))
                .with_operation(filter.operation as i8)
                .with_permission_type(filter.permission as i8)
        };
        let answer = self.operation()?.call(Route::Any, Repeat::Harmless, request).await?;
        let mut acls: Vec<Acl> = answer.resources.iter().flat_map(described).collect();
        acls.sort_unstable();
        Ok(acls)
    }

    /// Creates ACLs; says what became of each, in their order. One that exists already is no error.
    pub async fn create_acls(&self, acls: &[Acl]) -> Result<Vec<Result<()>>> {
        if acls.is_empty() {
            return Ok(Vec::new());
        }
        let request = |_| CreateAclsRequest::default().with_creations(acls.iter().map(creation).collect());
        let answer = self.operation()?.call(Route::Controller, Repeat::Harmless, request).await?;
        if answer.results.len() != acls.len() {
            return Err(missing("result for an ACL"));
        }
        Ok(answer.results.iter().map(|it| Code(it.error_code).ok(it.error_message.as_deref())).collect())
    }

    /// Deletes the ACLs that pass the filter and returns them, sorted.
    ///
    /// One that cannot be deleted makes this an error, though others may be gone. When a connection breaks the request
    /// is sent again; ACLs that were deleted by the first are then not among those returned.
    pub async fn delete_acls(&self, filter: &AclFilter) -> Result<Vec<Acl>> {
        let request = |_| DeleteAclsRequest::default().with_filters(vec![deletion(filter)]);
        let answer = self.operation()?.call(Route::Controller, Repeat::Harmless, request).await?;
        let mut deleted = Vec::new();
        for found in answer.filter_results.iter().flat_map(|result| &result.matching_acls) {
            Code(found.error_code).ok(found.error_message.as_deref())?;
            deleted.push(matching(found));
        }
        deleted.sort_unstable();
        Ok(deleted)
    }
}

fn described(resource: &DescribeAclsResource) -> impl Iterator<Item = Acl> {
    resource.acls.iter().map(|acl| Acl {
        resource_type: known(ResourceType::ALL, ResourceType::Unknown, resource.resource_type),
        resource_name: resource.resource_name.to_string(),
        pattern_type: known(PatternType::ALL, PatternType::Unknown, resource.pattern_type),
        principal: acl.principal.to_string(),
        host: acl.host.to_string(),
        operation: known(AclOperation::ALL, AclOperation::Unknown, acl.operation),
        permission: known(Permission::ALL, Permission::Unknown, acl.permission_type),
    })
}

fn matching(acl: &DeleteAclsMatchingAcl) -> Acl {
    Acl {
        resource_type: known(ResourceType::ALL, ResourceType::Unknown, acl.resource_type),
        resource_name: acl.resource_name.to_string(),
        pattern_type: known(PatternType::ALL, PatternType::Unknown, acl.pattern_type),
        principal: acl.principal.to_string(),
        host: acl.host.to_string(),
        operation: known(AclOperation::ALL, AclOperation::Unknown, acl.operation),
        permission: known(Permission::ALL, Permission::Unknown, acl.permission_type),
    }
}

fn creation(acl: &Acl) -> AclCreation {
    AclCreation::default()
        .with_resource_type(acl.resource_type as i8)
        .with_resource_name(wire(&acl.resource_name))
        .with_resource_pattern_type(acl.pattern_type as i8)
        .with_principal(wire(&acl.principal))
        .with_host(wire(&acl.host))
        .with_operation(acl.operation as i8)
        .with_permission_type(acl.permission as i8)
}

fn deletion(filter: &AclFilter) -> DeleteAclsFilter {
    DeleteAclsFilter::default()
        .with_resource_type_filter(filter.resource_type as i8)
        .with_resource_name_filter(filter.resource_name.as_deref().map(wire))
        .with_pattern_type_filter(filter.pattern_type as i8)
        .with_principal_filter(filter.principal.as_deref().map(wire))
        .with_host_filter(filter.host.as_deref().map(wire))
        .with_operation(filter.operation as i8)
        .with_permission_type(filter.permission as i8)
}
